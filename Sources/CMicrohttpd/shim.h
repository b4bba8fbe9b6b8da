#pragma once
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>

/* What a server on a thread of our own needs: functions that are variadic, which Swift does not import, and constants
 * that it cannot read. All callbacks are called on the thread that calls MHD_run, and get `context`. */
typedef struct {
    unsigned connections;         /* at a time, in all */
    unsigned connections_address; /* at a time, from one address */
    unsigned timeout_seconds;     /* without any byte */
    size_t memory;                /* bytes a connection: request line, headers and the answer's headers */
} sm_mhd_limits;

typedef struct {
    MHD_NotifyConnectionCallback connection;
    void *(*target)(void *context, const char *target, struct MHD_Connection *connection);
    size_t (*unescape)(void *context, struct MHD_Connection *connection, char *text);
    MHD_AccessHandlerCallback request;
    MHD_RequestCompletedCallback completed;
} sm_mhd_calls;

/* Connections are given to it; NULL where it cannot start. */
static inline struct MHD_Daemon *sm_mhd_start(sm_mhd_limits limits, sm_mhd_calls calls, void *context) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, calls.request, context,
        MHD_OPTION_CONNECTION_LIMIT, limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        limits.connections_address, MHD_OPTION_CONNECTION_TIMEOUT, limits.timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.memory, MHD_OPTION_NOTIFY_CONNECTION, calls.connection, context,
        MHD_OPTION_URI_LOG_CALLBACK, calls.target, context, MHD_OPTION_UNESCAPE_CALLBACK, calls.unescape, context,
        MHD_OPTION_NOTIFY_COMPLETED, calls.completed, context, MHD_OPTION_END);
}

/* Takes an accepted socket over; it is closed at once where there are too many. */
static inline void sm_mhd_add(struct MHD_Daemon *daemon, int connection) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (getpeername(connection, (struct sockaddr *)&address, &length) != 0) length = 0;
    MHD_add_connection(daemon, connection, (struct sockaddr *)&address, length);
}

/* The daemon's epoll descriptor; -1 where it has none. */
static inline int sm_mhd_epoll(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

/* Milliseconds until MHD_run is due again, at most a minute; -1 where only its descriptor says. */
static inline int sm_mhd_timeout(struct MHD_Daemon *daemon) {
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    if (MHD_get_timeout(daemon, &milliseconds) != MHD_YES) return -1;
    return milliseconds < 60000 ? (int)milliseconds : 60000;
}

/* A connection's socket; -1 where it has none. */
static inline int sm_mhd_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* The address of a connection's client, without its port: so many bytes, at most 16. */
static inline unsigned sm_mhd_peer(struct MHD_Connection *connection, unsigned char address[16]) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr) return 0;
    /* Where sockaddr_in and sockaddr_in6 have it: netinet/in.h here would make its types this module's in Swift. */
    const unsigned char *bytes = (const unsigned char *)info->client_addr;
    if (info->client_addr->sa_family == AF_INET) {
        memcpy(address, bytes + 4, 4);
        return 4;
    }
    if (info->client_addr->sa_family != AF_INET6) return 0;
    memcpy(address, bytes + 8, 16);
    return 16;
}

/* What the connection callback has stored for the connection; may be NULL. */
static inline void *sm_mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The library would keep each parameter of the query in the connection's memory, though nobody asks it for one; with
 * hundreds of them there is no room left even for an answer. So it gets to see none. The text is its own buffer, which
 * it cuts up itself right afterwards. */
static inline void sm_mhd_hide_query(const char *target) {
    char *mark = (char *)strchr(target, '?');
    if (mark && mark[1]) mark[1] = '\0';
}

static inline void sm_mhd_each_header(struct MHD_Connection *connection, MHD_KeyValueIterator each, void *context) {
    MHD_get_connection_values(connection, MHD_HEADER_KIND, each, context);
}
/* An answer with a copy of `bytes`. */
static inline struct MHD_Response *sm_mhd_response(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

/* An answer of `bytes` themselves, which stay for as long as the program runs. */
static inline struct MHD_Response *sm_mhd_response_in_place(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_PERSISTENT);
}

/* An answer that `read` makes as it goes: bytes copied, 0 (the connection is suspended), or one of the two below. */
static inline struct MHD_Response *sm_mhd_response_stream(MHD_ContentReaderCallback read, void *context,
                                                          MHD_ContentReaderFreeCallback free) {
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, read, context, free);
}
/* The same, but its bytes are on the connection as they are, without chunks: what is sent past the library while the
 * connection is suspended goes on where it stopped. It ends with the connection. */
static inline struct MHD_Response *sm_mhd_response_plain_stream(MHD_ContentReaderCallback read, void *context,
                                                                MHD_ContentReaderFreeCallback free) {
    struct MHD_Response *made = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4 * 1024, read, context, free);
    if (made) MHD_set_response_options(made, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return made;
}
static const ssize_t sm_mhd_body_end = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t sm_mhd_body_broken = MHD_CONTENT_READER_END_WITH_ERROR;
/* Of what the connection callback is told. */
static const enum MHD_ConnectionNotificationCode sm_mhd_started = MHD_CONNECTION_NOTIFY_STARTED;
