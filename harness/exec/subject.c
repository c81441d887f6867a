// SPDX-License-Identifier: Apache-2.0
//
// subject: see subject.h.
#include "harness/exec/subject.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/exec/seed.h"
#include "harness/exec/targets.h"

#define CX_NONE_TEXT "-"
#define CX_EXEC_TARGET "exec"
#define FROM_START " from-start"
#define FOLLOW_FORKS " follow-forks"

static const char *const kind_names[CX_SUBJECT_COUNT] = {CX_NONE_TEXT, "program", "exec", "script", "module"};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

// The text after the mark of `constrictor cc`, up to its newline; 0 if there is no mark.
static int mark_read(const char *bytes, size_t count, char target[64])
{
    static const char mark[] = CX_SUBJECT_MARK;
    const char *end = bytes + count;
    const char *at = memmem(bytes, count, mark, sizeof(mark) - 1);
    target[0] = '\0';
    if (at == NULL) {
        return 0;
    }
    at += sizeof(mark) - 1;
    for (size_t i = 0; i < 63 && at + i < end && at[i] != '\n'; i++) {
        target[i] = at[i];
        target[i + 1] = '\0';
    }
    return target[0] != '\0';
}

// 1 for an ELF file that names no loader: nothing can be loaded before it.
static int linked_statically(const char *bytes, size_t count)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
    if (count < sizeof(*header) || memcmp(bytes, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_phoff > count) {
        return 0;
    }
    const Elf64_Phdr *programs = (const Elf64_Phdr *)(bytes + header->e_phoff);
    size_t room = (count - header->e_phoff) / sizeof(*programs);
    for (size_t i = 0; i < header->e_phnum && i < room; i++) {
        if (programs[i].p_type == PT_INTERP) {
            return 0;
        }
    }
    return 1;
}

// What is in the file decides whether, and as what, it can be run.
static enum cx_status bytes_check(struct cx_subject *subject, const char *bytes, size_t count, struct cx_error *error)
{
    subject->digest = cx_hash_bytes(CX_HASH_START, bytes, count);
    if (subject->kind == CX_SUBJECT_PROGRAM && !mark_read(bytes, count, subject->target)) {
        return cx_error_set(error, CX_ERR_USAGE,
                            "%s was not linked by `constrictor cc`; `constrictor exec -- %s` controls it as it is, at "
                            "its pthread calls",
                            subject->words.list[0], subject->words.list[0]);
    }
    char target[sizeof(subject->target)];
    if (subject->kind == CX_SUBJECT_PRELOAD && mark_read(bytes, count, target)) {
        return cx_error_set(error, CX_ERR_USAGE, "%s was linked by `constrictor cc`: `constrictor run --subject %s`",
                            subject->words.list[0], subject->words.list[0]);
    }
    if (subject->kind == CX_SUBJECT_PRELOAD && linked_statically(bytes, count)) {
        return cx_error_set(error, CX_ERR_USAGE,
                            "%s is linked statically, nothing can be loaded before it: compile it with `constrictor "
                            "cc`",
                            subject->words.list[0]);
    }
    return CX_OK;
}

static enum cx_status file_check(struct cx_subject *subject, struct cx_error *error)
{
    const char *given = subject->words.list[0];
    struct stat info;
    if (subject->path[0] == '\0' || stat(subject->path, &info) != 0) {
        return cx_error_set(error, CX_ERR_USAGE, "%s: there is no such file", given);
    }
    int executable = cx_subject_is_program(subject->kind);
    if (!S_ISREG(info.st_mode) || (executable && access(subject->path, X_OK) != 0)) {
        return cx_error_set(error, CX_ERR_USAGE, "%s: this is no %s", given,
                            executable ? "program: it cannot be executed" : "file");
    }
    int fd = open(subject->path, O_RDONLY | O_CLOEXEC);
    size_t count = (size_t)info.st_size;
    char *bytes = fd >= 0 && count > 0 ? mmap(NULL, count, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    enum cx_status status = CX_OK;
    if (bytes != MAP_FAILED) {
        status = bytes_check(subject, bytes, count, error);
        munmap(bytes, count);
    } else if (fd < 0 || count > 0) {
        (void)cx_error_system(error, "%s: cannot be read", given);
        status = CX_ERR_USAGE;
    } else {
        status = bytes_check(subject, "", 0, error);
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

// A command without a slash is looked for as a shell does.
static void path_search(const char *name, char path[PATH_MAX])
{
    const char *folders = getenv("PATH");
    path[0] = '\0';
    while (folders != NULL && folders[0] != '\0' && path[0] == '\0') {
        char candidate[2 * PATH_MAX];
        size_t chars = strcspn(folders, ":");
        snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)chars, folders, name);
        if (access(candidate, X_OK) != 0 || realpath(candidate, path) == NULL) {
            path[0] = '\0';
        }
        folders += chars + (folders[chars] == ':');
    }
}

static void path_find(struct cx_subject *subject)
{
    const char *given = subject->words.list[0];
    char joined[2 * PATH_MAX];
    if (subject->kind == CX_SUBJECT_PRELOAD && strchr(given, '/') == NULL) {
        path_search(given, subject->path);
        return;
    }
    snprintf(joined, sizeof(joined), "%s%s%s", given[0] == '/' ? "" : subject->directory, given[0] == '/' ? "" : "/",
             given);
    if (realpath(joined, subject->path) == NULL) {
        subject->path[0] = '\0';
    }
}

// The folder of a schedule, and the name in reports: letters, digits and a few others.
static void name_set(struct cx_subject *subject)
{
    const char *from = subject->path[0] != '\0' ? base_name(subject->path) : subject->words.list[0];
    snprintf(subject->name, sizeof(subject->name), "%.63s", from);
    for (char *at = subject->name; *at != '\0'; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7f || *at == '/') {
            *at = '_';
        }
    }
}

enum cx_status cx_subject_open(struct cx_subject *subject, const char *target, struct cx_error *error)
{
    size_t bytes = 0;
    for (size_t i = 0; i < subject->words.count; i++) {
        bytes += strlen(subject->words.list[i]) + 1;
    }
    if (bytes > CX_SUBJECT_WORDS_BYTES) {
        return cx_error_set(error, CX_ERR_USAGE, "the command line is longer than %d bytes", CX_SUBJECT_WORDS_BYTES);
    }
    if (subject->directory[0] == '\0' && getcwd(subject->directory, sizeof(subject->directory)) == NULL) {
        return cx_error_system(error, "the current folder has no name");
    }
    if (subject->kind != CX_SUBJECT_MODULE) {
        path_find(subject);
        enum cx_status status = file_check(subject, error);
        if (status != CX_OK) {
            return status;
        }
    }
    if (target != NULL) {
        snprintf(subject->target, sizeof(subject->target), "%s", target);
    } else if (subject->kind == CX_SUBJECT_PRELOAD) {
        snprintf(subject->target, sizeof(subject->target), CX_EXEC_TARGET);
    }
    name_set(subject);
    return CX_OK;
}

void cx_subject_fini(struct cx_subject *subject)
{
    cx_names_fini(&subject->words);
    cx_names_fini(&subject->environment);
    memset(subject, 0, sizeof(*subject));
}

enum cx_status cx_subject_runner(const struct cx_subject *subject, char path[PATH_MAX], struct cx_error *error)
{
    if (subject->kind == CX_SUBJECT_SCRIPT || subject->kind == CX_SUBJECT_MODULE) {
        return cx_targets_runner(subject->target, path, error);
    }
    snprintf(path, PATH_MAX, "%s", subject->path);
    return CX_OK;
}

void cx_subject_describe(const struct cx_subject *subject, struct cx_subject_info *info)
{
    size_t used = 0;
    memset(info, 0, sizeof(*info));
    info->kind = subject->kind;
    info->from_start = (uint32_t)subject->from_start;
    info->follow_forks = (uint32_t)subject->follow_forks;
    snprintf(info->name, sizeof(info->name), "%s", subject->name);
    for (size_t i = 0; i < subject->words.count && used < sizeof(info->words); i++) {
        int chars = snprintf(info->words + used, sizeof(info->words) - used, "%s", subject->words.list[i]);
        used += (size_t)chars + 1;
        info->words_count++;
    }
}

// The words from `from` on, each with a blank before it.
static void words_quote(const struct cx_names *words, size_t from, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = from; i < words->count && used < text_bytes; i++) {
        const char *word = words->list[i];
        const char *quote = word[0] != '\0' && strpbrk(word, " \t\n'\"\\$`&|;<>()*?[]#~!{}") == NULL ? "" : "'";
        used += (size_t)snprintf(text + used, text_bytes - used, " %s%s%s", quote, word, quote);
    }
}

void cx_subject_command_text(const struct cx_subject *subject, char *text, size_t text_bytes)
{
    words_quote(&subject->words, 0, text, text_bytes);
    memmove(text, text + 1, strlen(text));
}

void cx_subject_invocation_text(const struct cx_subject *subject, char *before, size_t before_bytes, char *after,
                                size_t after_bytes)
{
    char rest[CX_SUBJECT_WORDS_BYTES];
    const char *from_start = subject->from_start ? " --from-start" : "";
    const char *forks = subject->follow_forks ? " --forks follow" : "";
    int named = subject->kind == CX_SUBJECT_PROGRAM || subject->kind == CX_SUBJECT_MODULE;
    words_quote(&subject->words, named ? 1 : 0, rest, sizeof(rest));
    snprintf(after, after_bytes, "%s%s", rest[0] != '\0' ? " --" : "", rest);
    if (subject->kind == CX_SUBJECT_PROGRAM) {
        snprintf(before, before_bytes, "run%s --subject %s", forks, subject->words.list[0]);
    } else if (subject->kind == CX_SUBJECT_PRELOAD) {
        snprintf(before, before_bytes, "exec%s", forks);
    } else if (subject->kind == CX_SUBJECT_SCRIPT) {
        snprintf(before, before_bytes, "exec%s --target %s%s", forks, subject->target, from_start);
    } else {
        snprintf(before, before_bytes, "exec%s --target %s%s -m %s", forks, subject->target, from_start,
                 subject->words.list[0]);
    }
}

void cx_subject_words_encode(const struct cx_names *words, char *text, size_t text_bytes)
{
    size_t used = 0;
    snprintf(text, text_bytes, CX_NONE_TEXT);
    for (size_t i = 0; i < words->count; i++) {
        const char *at = words->list[i];
        used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", i > 0 ? " " : "", *at == '\0' ? "%" : "");
        for (; *at != '\0' && used + 4 < text_bytes; at++) {
            int plain = (unsigned char)*at > 0x20 && *at != 0x7f && *at != '%';
            used += (size_t)snprintf(text + used, text_bytes - used, plain ? "%c" : "%%%02x", (unsigned char)*at);
        }
    }
}

int cx_subject_words_decode(const char *text, struct cx_names *words)
{
    char word[CX_SUBJECT_WORDS_BYTES];
    size_t used = 0;
    for (const char *at = text; strcmp(text, CX_NONE_TEXT) != 0; at++) {
        unsigned byte = 0;
        if (*at == ' ' || *at == '\0') {
            word[used] = '\0';
            cx_names_append(words, word);
            used = 0;
        } else if (*at != '%') {
            word[used++] = *at;
        } else if (isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]) &&
                   sscanf(at + 1, "%2x", &byte) == 1 && byte != 0) {
            word[used++] = (char)byte;
            at += 2;
        } else if (used > 0 || (at[1] != ' ' && at[1] != '\0')) {
            return -1;
        }
        if (used == sizeof(word) || *at == '\0') {
            return used == sizeof(word) ? -1 : 0;
        }
    }
    return 0;
}

// 1 if the text goes on with this word, which is then passed over.
static int switch_take(const char **text, const char *word)
{
    if (strncmp(*text, word, strlen(word)) != 0) {
        return 0;
    }
    *text += strlen(word);
    return 1;
}

void cx_subject_save(const struct cx_subject *subject, struct cx_schedule *schedule)
{
    snprintf(schedule->subject, sizeof(schedule->subject), "%s%s%s", kind_names[subject->kind],
             subject->from_start ? FROM_START : "", subject->follow_forks ? FOLLOW_FORKS : "");
    snprintf(schedule->directory, sizeof(schedule->directory), "%s", subject->directory);
    cx_subject_words_encode(&subject->words, schedule->command, sizeof(schedule->command));
    cx_subject_words_encode(&subject->environment, schedule->environment, sizeof(schedule->environment));
    schedule->digest = subject->digest;
}

enum cx_status cx_subject_restore(struct cx_subject *subject, const struct cx_schedule *schedule, const char *path,
                                  int force, struct cx_error *error)
{
    memset(subject, 0, sizeof(*subject));
    if (schedule->subject[0] == '\0') {
        return CX_OK;
    }
    size_t chars = strcspn(schedule->subject, " ");
    for (uint32_t i = CX_SUBJECT_PROGRAM; i < CX_SUBJECT_COUNT; i++) {
        if (strlen(kind_names[i]) == chars && strncmp(kind_names[i], schedule->subject, chars) == 0) {
            subject->kind = i;
        }
    }
    const char *switches = schedule->subject + chars;
    subject->from_start = switch_take(&switches, FROM_START);
    subject->follow_forks = switch_take(&switches, FOLLOW_FORKS);
    snprintf(subject->directory, sizeof(subject->directory), "%s", schedule->directory);
    if (subject->kind == CX_SUBJECT_NONE || switches[0] != '\0' ||
        cx_subject_words_decode(schedule->command, &subject->words) != 0 || subject->words.count == 0 ||
        cx_subject_words_decode(schedule->environment, &subject->environment) != 0) {
        return cx_error_set(error, CX_ERR_FORMAT, "%s: its subject makes no sense", path);
    }
    int python = subject->kind == CX_SUBJECT_SCRIPT || subject->kind == CX_SUBJECT_MODULE;
    struct cx_error reason = {0};
    enum cx_status status = cx_subject_open(subject, python ? schedule->target : NULL, &reason);
    if (status != CX_OK) {
        return cx_error_set(error, status, "%s: its subject cannot be run: %s", path, reason.text);
    }
    if (subject->digest != schedule->digest && !force) {
        return cx_error_set(error, CX_ERR_MISMATCH,
                            "%s was made with another %s: the file has changed since (--force tries all the same)",
                            path, subject->words.list[0]);
    }
    return CX_OK;
}
