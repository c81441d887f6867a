// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_reproduce: a program as C that needs CPython alone. reproducer.c has what each line calls.
#include "fuzz/lifecycle.h"

// An operation that is Python: a format of its argument.
struct snippet {
    enum fuzz_op_kind kind;
    const char *code;
};

static const struct snippet snippets[] = {
    {FUZZ_OP_APPEND, "shared_list.append(100%u)"},
    {FUZZ_OP_CLEAR, "shared_list.clear()"},
    {FUZZ_OP_SET_ITEM, "shared_dict['%u'] = []"},
    {FUZZ_OP_DEL_ITEM, "shared_dict.pop('%u', None)"},
    {FUZZ_OP_SET_TYPE, "setattr(Shared, 'abcd'[%u], 2000)"},
    {FUZZ_OP_GET_TYPE, "getattr(Shared, 'abcd'[%u], None)"},
    {FUZZ_OP_INSTANCE, "shared_dict['%u'] = Shared()"},
    {FUZZ_OP_WEAKREF, "shared_dict.get('%u') and weakref.ref(shared_dict['%u'])"},
    {FUZZ_OP_CALL, "work()"},
    {FUZZ_OP_FREEZE, "gc.freeze() if %u & 1 else gc.unfreeze()"},
    {FUZZ_OP_TRACEMALLOC, "tracemalloc.start() if %u & 1 else tracemalloc.stop()"},
    {FUZZ_OP_AT_EXIT, "atexit.register(work)"},
};

static const char *snippet_of(uint8_t kind)
{
    for (size_t i = 0; i < sizeof(snippets) / sizeof(snippets[0]); i++) {
        if (snippets[i].kind == (enum fuzz_op_kind)kind) {
            return snippets[i].code;
        }
    }
    return NULL;
}

static void function_print(uint8_t kind, FILE *out)
{
    fputs("op_", out);
    for (const char *at = fuzz_op_name(kind); *at != '\0'; at++) {
        putc(*at == '-' ? '_' : *at, out);
    }
}

static void op_print(const struct fuzz_program *program, const struct fuzz_op *op, FILE *out)
{
    const char *code = snippet_of(op->kind);
    if (op->kind == FUZZ_OP_FORK && !fuzz_program_forks(program)) {
        return;
    }
    fputs("    pause_a_little(self);\n    ", out);
    if (code != NULL) {
        fputs("op_python(self, \"", out);
        fuzz_text_print(code, op->argument, out);
        fputs("\\n\");\n", out);
        return;
    }
    switch (op->kind) {
    case FUZZ_OP_ATTACH:
    case FUZZ_OP_ENSURE:
    case FUZZ_OP_ENSURE_VIEW:
    case FUZZ_OP_GILSTATE:
        fprintf(out, "op_gilstate(self); // %s\n", fuzz_op_name(op->kind));
        break;
    case FUZZ_OP_DETACH:
    case FUZZ_OP_SAVE:
        fprintf(out, "op_save(self); // %s\n", fuzz_op_name(op->kind));
        break;
    case FUZZ_OP_SECTION:
    case FUZZ_OP_SECTION_TWO:
    case FUZZ_OP_PROFILE:
    case FUZZ_OP_TRACE:
    case FUZZ_OP_KEEP ... FUZZ_OP_FORK:
        function_print(op->kind, out);
        fprintf(out, "(self, %u);\n", op->argument);
        break;
    case FUZZ_OP_POINT:
        fputs("sched_yield();\n", out);
        break;
    case FUZZ_OP_ASSUME:
    case FUZZ_OP_GUARD:
    case FUZZ_OP_UNGUARD:
        fprintf(out, "; // %s: CPython has no such thing here\n", fuzz_op_name(op->kind));
        break;
    default:
        function_print(op->kind, out);
        fputs("(self);\n", out);
        break;
    }
}

static void thread_print(const struct fuzz_program *program, uint32_t thread, FILE *out)
{
    static const char *const ends[FUZZ_END_COUNT] = {
        "", "    ends(self);\n    pause_a_little(self);\n    op_finalize(self);\n",
        "    ends(self);\n    pause_a_little(self);\n    op_finalize(self);\n    op_initialize(self);\n"};
    fprintf(out, "\nstatic void thread_%u(struct thread *self)\n{\n    (void)self;\n", thread);
    for (uint32_t i = 0; i < FUZZ_OPS_MAX; i++) {
        if (fuzz_program_plays(program, thread, i)) {
            op_print(program, &program->ops[thread][i], out);
        }
    }
    fprintf(out, "%s}\n", thread == 0 && program->end < FUZZ_END_COUNT ? ends[program->end] : "");
}

void fuzz_program_print_c(const struct fuzz_program *program, FILE *out)
{
    uint32_t count = program->threads_more + 1u;
    for (uint32_t thread = 0; thread < count; thread++) {
        thread_print(program, thread, out);
    }
    fprintf(out, "\nint main(int argc, char **argv)\n{\n    static const struct program program = {%u, {", count);
    for (uint32_t thread = 0; thread < count; thread++) {
        fprintf(out, "%sthread_%u", thread == 0 ? "" : ", ", thread);
    }
    fprintf(out, "}};\n    return reproduce(argc, argv, &program, %d);\n}\n", fuzz_program_shares(program));
}
