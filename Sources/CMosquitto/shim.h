#pragma once
#include <mosquitto.h>
#include <sys/prctl.h>

/* prctl is variadic, which Swift does not import. At most 15 bytes of the name are taken. */
static inline void sm_name_this_thread(const char *name) { prctl(PR_SET_NAME, name); }
