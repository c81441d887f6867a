# The one list of fuzz targets: fuzz_NAME.c, its seeds in seeds/NAME, its crashes of the past in regress/NAME, its words
# in dict/NAME.dict.
#
# CONSTRICTOR_PARSER_FUZZERS: what reads a file or a command line, in this process.
set(CONSTRICTOR_PARSER_FUZZERS gate_state known_file options trace_reader)
# CONSTRICTOR_RUNNER_FUZZERS: what a target's runner plays.
set(CONSTRICTOR_RUNNER_FUZZERS lifecycle schedule)
# CONSTRICTOR_FUZZ_SCENARIOS: what a runner plays for the targets that need CPython;
# CONSTRICTOR_FUZZ_SCENARIO_SOURCES: their files.
set(CONSTRICTOR_FUZZ_SCENARIOS fuzz/lifecycle fuzz/lifecycle_canary fuzz/lifecycle_drift fuzz/lifecycle_misuse)
set(CONSTRICTOR_FUZZ_SCENARIO_SOURCES lifecycle_fork.c lifecycle_objects.c lifecycle_play.c lifecycle_program.c
    lifecycle_scenario.c lifecycle_scopes.c)
list(TRANSFORM CONSTRICTOR_FUZZ_SCENARIO_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
