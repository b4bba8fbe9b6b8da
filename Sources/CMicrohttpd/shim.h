#pragma once
#include <microhttpd.h>

/* What a server on a thread of our own needs: start is variadic, which Swift does not import. All callbacks are called
 * on the thread that calls MHD_run, and get `context`. */
typedef struct {
    unsigned connections;         /* at a time, in all */
    unsigned connections_address; /* at a time, from one address */
    unsigned timeout_seconds;     /* without any byte */
    size_t memory;                /* bytes a connection: request line, headers and the answer's headers */
} sm_mhd_limits;

typedef size_t (*sm_mhd_unescape)(void *context, struct MHD_Connection *connection, char *text);
typedef void *(*sm_mhd_target)(void *context, const char *target, struct MHD_Connection *connection);

/* Takes `listener` over; NULL where it cannot start. */
static inline struct MHD_Daemon *sm_mhd_start(int listener, sm_mhd_limits limits, MHD_AccessHandlerCallback handler,
                                              sm_mhd_target target, sm_mhd_unescape unescape,
                                              MHD_RequestCompletedCallback completed, void *context) {
    return MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handler, context, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        limits.connections_address, MHD_OPTION_CONNECTION_TIMEOUT, limits.timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.memory, MHD_OPTION_URI_LOG_CALLBACK, target, context,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, context, MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_END);
}

/* The daemon's epoll descriptor; -1 where it has none. */
static inline int sm_mhd_epoll(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

/* An answer with a copy of `bytes`. */
static inline struct MHD_Response *sm_mhd_response(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

/* Milliseconds until MHD_run is due again, at most a minute; -1 where only its descriptor says. */
static inline int sm_mhd_timeout(struct MHD_Daemon *daemon) {
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    if (MHD_get_timeout(daemon, &milliseconds) != MHD_YES) return -1;
    return milliseconds < 60000 ? (int)milliseconds : 60000;
}

static inline void sm_mhd_each_header(struct MHD_Connection *connection, MHD_KeyValueIterator each, void *context) {
    MHD_get_connection_values(connection, MHD_HEADER_KIND, each, context);
}

/* Connections that are open now. */
static inline unsigned int sm_mhd_connections(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info == NULL ? 0 : info->num_connections;
}
