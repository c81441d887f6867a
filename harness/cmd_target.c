#include "harness/command.h"
enum cx_exit cx_cmd_target(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return CX_EXIT_USAGE;
}
