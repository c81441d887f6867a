// SPDX-License-Identifier: Apache-2.0
//
// places: see places.h.
#include "harness/detect/places.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What is looked for in one file.
struct search {
    enum cx_place_kind kind;
    const char *name; // NULL: the function at `pc`, whose name goes to `around`
    uint64_t pc;      // as the file's symbol table has it
    char *around;     // CX_PLACE_NAME_BYTES
    uint64_t bias;
    struct cx_places *places;
    struct cx_names *known;
    enum cx_status status;
    struct cx_error *error;
};

enum cx_status cx_places_add(struct cx_places *places, uint64_t start, uint64_t end, struct cx_error *error)
{
    if (places->count > 0 && places->list[places->count - 1].end == start) {
        places->list[places->count - 1].end = end;
        return CX_OK;
    }
    if ((places->count & (places->count - 1)) == 0) { // grows at powers of two
        size_t room = places->count == 0 ? 1 : 2 * places->count;
        struct cx_range *list = realloc(places->list, room * sizeof(*list));
        if (list == NULL) {
            return cx_error_set(error, CX_ERR_MEMORY, "out of memory for ranges");
        }
        places->list = list;
    }
    places->list[places->count++] = (struct cx_range){start, end};
    return CX_OK;
}

static void found(struct search *search, uint64_t start, uint64_t end)
{
    if (search->status == CX_OK && end > start) {
        search->status = cx_places_add(search->places, search->bias + start, search->bias + end, search->error);
    }
}

static void function_visit(struct search *search, Dwarf_Die *die)
{
    const char *name = dwarf_diename(die);
    Dwarf_Attribute attribute;
    Dwarf_Attribute *linkage = dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute);
    const char *linked = linkage != NULL ? dwarf_formstring(linkage) : NULL;
    if (name == NULL) {
        return;
    }
    if (strcmp(name, search->name) != 0 && (linked == NULL || strcmp(linked, search->name) != 0)) {
        if (dwarf_tag(die) == DW_TAG_subprogram) {
            cx_names_append(search->known, name);
        }
        return;
    }
    Dwarf_Addr base = 0;
    Dwarf_Addr start = 0;
    Dwarf_Addr end = 0;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
        found(search, start, end);
    }
}

// Depth first, without recursion: a function has blocks, which have inlined functions, which have blocks.
static void functions_visit(struct search *search, Dwarf_Die *unit)
{
    enum { DEPTH_MAX = 64 };
    Dwarf_Die path[DEPTH_MAX];
    int depth = 0;
    if (dwarf_child(unit, &path[0]) != 0) {
        return;
    }
    while (depth >= 0 && search->status == CX_OK) {
        int tag = dwarf_tag(&path[depth]);
        int is_function = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
        if (is_function) {
            function_visit(search, &path[depth]);
        }
        int opens = is_function || tag == DW_TAG_lexical_block || tag == DW_TAG_namespace;
        if (opens && depth + 1 < DEPTH_MAX && dwarf_child(&path[depth], &path[depth + 1]) == 0) {
            depth++;
            continue;
        }
        while (depth >= 0 && dwarf_siblingof(&path[depth], &path[depth]) != 0) {
            depth--;
        }
    }
}

// Is `name` the end of `path`, from a slash on?
static int is_end_of(const char *path, const char *name)
{
    size_t path_chars = strlen(path);
    size_t name_chars = strlen(name);
    return name_chars <= path_chars && strcmp(path + path_chars - name_chars, name) == 0 &&
           (name_chars == path_chars || path[path_chars - name_chars - 1] == '/');
}

static void lines_visit(struct search *search, Dwarf_Die *unit)
{
    Dwarf_Lines *lines = NULL;
    size_t count = 0;
    const char *last = NULL;
    int matches = 0;
    if (dwarf_getsrclines(unit, &lines, &count) != 0) {
        return;
    }
    for (size_t i = 0; i + 1 < count && search->status == CX_OK; i++) {
        Dwarf_Line *line = dwarf_onesrcline(lines, i);
        const char *path = dwarf_linesrc(line, NULL, NULL);
        Dwarf_Addr start = 0;
        Dwarf_Addr end = 0;
        bool over = false;
        dwarf_lineaddr(line, &start);
        dwarf_lineaddr(dwarf_onesrcline(lines, i + 1), &end);
        dwarf_lineendsequence(line, &over);
        if (path == NULL || over) {
            continue;
        }
        if (path != last) {
            const char *slash = strrchr(path, '/');
            matches = is_end_of(path, search->name);
            last = path;
            cx_names_append(search->known, slash != NULL ? slash + 1 : path);
        }
        if (matches) {
            found(search, start, end);
        }
    }
}

static void units_visit(struct search *search, int fd)
{
    Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    while (dwarf != NULL && search->status == CX_OK &&
           dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
        if (search->kind == CX_PLACE_FUNCTION) {
            functions_visit(search, &die);
        } else {
            lines_visit(search, &die);
        }
    }
    dwarf_end(dwarf);
}

static void function_symbol_visit(struct search *search, const char *name, const GElf_Sym *symbol)
{
    uint64_t end = symbol->st_value + symbol->st_size;
    if (GELF_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF) {
        return;
    }
    if (search->name != NULL) {
        found(search, symbol->st_value, strcmp(name, search->name) == 0 ? end : symbol->st_value);
    } else if (search->pc >= symbol->st_value && search->pc < end) {
        found(search, symbol->st_value, end);
        snprintf(search->around, CX_PLACE_NAME_BYTES, "%s", name);
    }
}

static void object_visit(struct search *search, const char *name, const GElf_Sym *symbol)
{
    size_t chars = strlen(search->name);
    if (GELF_ST_TYPE(symbol->st_info) != STT_OBJECT || symbol->st_shndx == SHN_UNDEF) {
        return;
    }
    // A static variable of a function may be called name.123.
    if (strncmp(name, search->name, chars) == 0 && (name[chars] == '\0' || name[chars] == '.')) {
        found(search, symbol->st_value, symbol->st_value + symbol->st_size);
    } else {
        cx_names_append(search->known, name);
    }
}

static void symbols_visit(struct search *search, int fd)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    for (Elf_Scn *section = NULL; elf != NULL && (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        Elf_Data *data = elf_getdata(section, NULL);
        if (gelf_getshdr(section, &header) == NULL || header.sh_type != SHT_SYMTAB || data == NULL) {
            continue;
        }
        for (int i = 0; i < (int)(header.sh_size / header.sh_entsize); i++) {
            GElf_Sym symbol;
            const char *name =
                gelf_getsym(data, i, &symbol) != NULL ? elf_strptr(elf, header.sh_link, symbol.st_name) : NULL;
            if (name != NULL && search->kind == CX_PLACE_OBJECT) {
                object_visit(search, name, &symbol);
            } else if (name != NULL) {
                function_symbol_visit(search, name, &symbol);
            }
        }
    }
    elf_end(elf);
}

// In the module with this number.
static void module_visit(struct search *search, const struct cx_identity *identity, uint32_t module)
{
    int fd = open(identity->modules[module].path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return; // gone since, or the kernel's own
    }
    search->bias = identity->modules[module].bias;
    if (search->kind == CX_PLACE_OBJECT || search->kind == CX_PLACE_SYMBOL) {
        symbols_visit(search, fd);
    } else {
        units_visit(search, fd);
    }
    close(fd);
}

static enum cx_status modules_visit(struct search *search, const struct cx_identity *identity)
{
    for (uint32_t i = 0; i < identity->modules_count && search->status == CX_OK; i++) {
        module_visit(search, identity, i);
    }
    return search->status;
}

enum cx_status cx_places_find(const struct cx_identity *identity, enum cx_place_kind kind, const char *name,
                              struct cx_places *places, struct cx_names *known, struct cx_error *error)
{
    struct search search = {.kind = kind, .name = name, .places = places, .known = known, .error = error};
    return modules_visit(&search, identity);
}

enum cx_status cx_places_symbol(const struct cx_identity *identity, const char *name, struct cx_places *places,
                                struct cx_error *error)
{
    struct search search = {.kind = CX_PLACE_SYMBOL, .name = name, .places = places, .error = error};
    return modules_visit(&search, identity);
}

enum cx_status cx_places_around(const struct cx_identity *identity, uint64_t pc, struct cx_places *places,
                                char name[CX_PLACE_NAME_BYTES], struct cx_error *error)
{
    struct search search = {.kind = CX_PLACE_SYMBOL, .around = name, .places = places, .error = error};
    name[0] = '\0';
    for (uint32_t i = 0; i < identity->modules_count; i++) {
        if (pc >= identity->modules[i].start && pc < identity->modules[i].end) {
            search.pc = pc - identity->modules[i].bias;
            module_visit(&search, identity, i);
            break;
        }
    }
    return search.status;
}
