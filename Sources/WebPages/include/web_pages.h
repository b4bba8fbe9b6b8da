/* The files of the pages that the host serves, as part of the program: nothing has to be found at run time, and no path
 * of a request ever reaches the file system. */
#pragma once
#include <stddef.h>

typedef struct {
    const char *path; /* as it is asked for */
    const char *type; /* Content-Type */
    const unsigned char *bytes;
    size_t count;
} web_page;

size_t web_page_count(void);
/* The fields are valid for as long as the program runs. All NULL beyond the end. */
web_page web_page_at(size_t index);
