/* The files of a new adapter's project, as part of the program: what `smart-meter new-adapter` writes is always the header,
 * the AdapterKit and the fake host that this program was built with. */
#pragma once
#include <stddef.h>

typedef struct {
    const char *language; /* c, rust or swift */
    const char *path;     /* within the project */
    int is_template;      /* whether the name that it is written for has to be replaced in path and text */
    const unsigned char *bytes;
    size_t count;
} author_kit_file;

size_t author_kit_count(void);
/* The fields are valid for as long as the program runs. All NULL beyond the end. */
author_kit_file author_kit_at(size_t index);
