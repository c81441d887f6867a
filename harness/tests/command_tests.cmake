# The command's unit tests: test_<name>.c, linked with the command's sources.
set(CONSTRICTOR_COMMAND_TESTS deal gate known migrate names options sanitize seed set shard shrink signature soak store
    subject trace window)
