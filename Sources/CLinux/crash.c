#define _GNU_SOURCE
#include "child.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static const char *library;

const char *sm_signal_abbreviation(int signal) { return sigabbrev_np(signal); }

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

static void say_hexadecimal(uintptr_t value) {
    char digits[2 * sizeof value + 3];
    char *first = digits + sizeof digits - 1;
    *first = '\0';
    do {
        *--first = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    *--first = 'x';
    *--first = '0';
    say(first);
}

static int is_in_library(const void *place, Dl_info *found) {
    return library != NULL && dladdr(place, found) != 0 && strcmp(found->dli_fname, library) == 0;
}

/* The place itself where it lies in the adapter's library, else the innermost caller that does. */
static void say_place(void *place) {
    Dl_info found;
    void *callers[48];
    int count = 1;
    callers[0] = place;
    if (!is_in_library(place, &found)) {
        count = backtrace(callers, sizeof callers / sizeof *callers);
    }
    for (int i = 0; i < count; i++) {
        if (is_in_library(callers[i], &found)) {
            say(" at ");
            if (found.dli_sname != NULL) {
                say(found.dli_sname);
                say(", ");
            }
            say("offset ");
            say_hexadecimal((uintptr_t)callers[i] - (uintptr_t)found.dli_fbase);
            return;
        }
    }
    if (dladdr(place, &found) != 0 && found.dli_sname != NULL) {
        say(" in ");
        say(found.dli_sname);
    }
}

static void *program_counter(const ucontext_t *context) {
#if defined(__x86_64__)
    return (void *)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (void *)context->uc_mcontext.pc;
#else
    (void)context;
    return NULL;
#endif
}

static void report(int signal, siginfo_t *information, void *context) {
    (void)information;
    int refused = errno == ENOMEM;
    const char *name = sm_signal_abbreviation(signal);
    say(SM_CRASH_PREFIX "SIG");
    say(name != NULL ? name : "?");
    if (refused) {
        say(SM_CRASH_MEMORY);
    }
    /* Whatever it was may hold the loader's lock, or have torn the stack: then it ends here. */
    alarm(1);
    say_place(program_counter(context));
    say("\n");
    raise(signal);
}

void sm_report_crashes(const char *path) {
    library = path;
    /* The first call loads what the later ones need. */
    void *nothing[1];
    backtrace(nothing, 1);
    static char stack[64 * 1024];
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        sigaction(fatal[i], &action, NULL);
    }
}
