#include "harness/command.h"
enum cx_exit cx_cmd_explain(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return CX_EXIT_USAGE;
}
