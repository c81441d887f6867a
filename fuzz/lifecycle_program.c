// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_program: programs as data, and as text. See lifecycle.h. It knows no Python.
#include "fuzz/lifecycle.h"

#include <string.h>

#define FUZZ_OP_ROW(enumerator, name, place, text) {name, place, text},
static const struct {
    const char *name;
    enum fuzz_place place;
    const char *text;
} operations[FUZZ_OP_COUNT] = {FUZZ_OP_MAP(FUZZ_OP_ROW)};

void fuzz_program_walk(struct fuzz_program *program, void (*field)(void *context, uint8_t *value, uint32_t values),
                       void *context)
{
    field(context, &program->threads_more, FUZZ_THREADS_MAX);
    field(context, &program->end, FUZZ_END_COUNT);
    for (uint32_t thread = 0; thread < FUZZ_THREADS_MAX; thread++) {
        for (uint32_t i = 0; i < FUZZ_OPS_MAX; i++) {
            field(context, &program->ops[thread][i].kind, FUZZ_OP_CHOICES);
            field(context, &program->ops[thread][i].argument, FUZZ_ARGUMENTS);
        }
    }
}

int fuzz_program_plays(const struct fuzz_program *program, uint32_t thread, uint32_t i)
{
    uint8_t kind = program->ops[thread][i].kind;
    return thread <= program->threads_more && kind != FUZZ_OP_NOTHING && kind < FUZZ_OP_COUNT;
}

// With this argument, or with any (-1).
static int has(const struct fuzz_program *program, enum fuzz_op_kind kind, int argument)
{
    for (uint32_t i = 0; i < FUZZ_THREADS_MAX * FUZZ_OPS_MAX; i++) {
        const struct fuzz_op *op = &program->ops[i / FUZZ_OPS_MAX][i % FUZZ_OPS_MAX];
        if (fuzz_program_plays(program, i / FUZZ_OPS_MAX, i % FUZZ_OPS_MAX) && op->kind == kind &&
            (argument == -1 || op->argument == argument)) {
            return 1;
        }
    }
    return 0;
}

int fuzz_program_has(const struct fuzz_program *program, enum fuzz_op_kind kind)
{
    return has(program, kind, -1);
}

int fuzz_program_shares(const struct fuzz_program *program)
{
    return has(program, FUZZ_OP_ENTER_SHARED, -1) || has(program, FUZZ_OP_KEEP, FUZZ_KEPT_SHARED);
}

int fuzz_program_forks(const struct fuzz_program *program)
{
    return has(program, FUZZ_OP_FORK, -1) && !has(program, FUZZ_OP_CREATE, -1) && !fuzz_program_shares(program);
}

int fuzz_program_stays(const struct fuzz_program *program)
{
    return program->end == FUZZ_END_RETURN && !fuzz_program_has(program, FUZZ_OP_FINALIZE) &&
           !fuzz_program_forks(program);
}

uint32_t fuzz_program_length(const struct fuzz_program *program)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < FUZZ_THREADS_MAX * FUZZ_OPS_MAX; i++) {
        length += (uint32_t)fuzz_program_plays(program, i / FUZZ_OPS_MAX, i % FUZZ_OPS_MAX);
    }
    return length;
}

const char *fuzz_op_name(uint8_t kind)
{
    return kind < FUZZ_OP_COUNT ? operations[kind].name : operations[FUZZ_OP_NOTHING].name;
}

uint8_t fuzz_op_find(const char *name)
{
    uint8_t kind = 0;
    while (kind < FUZZ_OP_COUNT && strcmp(operations[kind].name, name) != 0) {
        kind++;
    }
    return kind;
}

enum fuzz_place fuzz_op_place(uint8_t kind)
{
    return kind < FUZZ_OP_COUNT ? operations[kind].place : FUZZ_ANYWHERE;
}

void fuzz_text_print(const char *text, unsigned argument, FILE *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 'u') {
            fprintf(out, "%u", argument);
            at++;
        } else {
            putc(*at, out);
        }
    }
}

void fuzz_program_print(const struct fuzz_program *program, FILE *out)
{
    static const char *const ends[FUZZ_END_COUNT] = {"", "    Py_FinalizeEx();\n",
                                                     "    Py_FinalizeEx();\n    Py_InitializeFromConfig(&config);\n"};
    for (uint32_t thread = 0; thread <= program->threads_more && thread < FUZZ_THREADS_MAX; thread++) {
        fprintf(out,
                thread == 0 ? "void main_thread(void)    // has initialised CPython, attached\n{\n"
                            : "void thread_%u(void)    // native, unknown to CPython\n{\n",
                thread);
        for (uint32_t i = 0; i < FUZZ_OPS_MAX; i++) {
            const struct fuzz_op *op = &program->ops[thread][i];
            if (fuzz_program_plays(program, thread, i)) {
                fputs("    ", out);
                fuzz_text_print(operations[op->kind].text, op->argument, out);
                fprintf(out, ";    // %s\n", operations[op->kind].name);
            }
        }
        if (thread == 0 && program->end < FUZZ_END_COUNT) {
            fputs(ends[program->end], out);
        }
        fputs("}\n\n", out);
    }
}
