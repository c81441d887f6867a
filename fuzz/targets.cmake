# The one list of fuzz targets: fuzz_NAME.c, its seeds in seeds/NAME, its crashes of the past in regress/NAME, its words
# in dict/NAME.dict.
#
# CONSTRICTOR_PARSER_FUZZERS: what reads a file or a command line, in this process.
set(CONSTRICTOR_PARSER_FUZZERS gate_state known_file options trace_reader)
