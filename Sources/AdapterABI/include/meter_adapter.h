/*
 * meter_adapter.h - the interface between the smart-meter host and a meter adapter.
 *
 * This one file is all that an adapter author needs. An adapter is a shared library that exports one function,
 * meter_adapter_entry. It needs nothing of the host at link time: the host hands every service over as a function
 * pointer. The file is C11, compiles as C++17, and depends on <stddef.h> and <stdint.h> alone.
 *
 * How to read it
 *   [host]     the adapter calls this; the host provides it
 *   [adapter]  the host calls this; the adapter provides it
 *   [serial]   calls to one instance never overlap, but they may come from different threads
 *   [any]      legal from any thread, also from several at once
 *
 * Rules that hold everywhere
 *   - All memory belongs to the caller and is valid for the duration of the call only; the other side copies what it
 *     keeps. Where something lives longer, its comment says so. Nobody frees what the other side allocated.
 *   - Every text is UTF-8 with a length; no terminating NUL is needed. A text of length 0 may have a NULL pointer.
 *   - Every struct that begins with struct_size has it set by whoever fills the struct in. Later versions only append
 *     fields: the receiver reads min(struct_size, its own size) bytes and takes the rest as zero. Elements of an array
 *     carry no size of their own: the stride beside the array is their size (a multiple of 8).
 *   - Fields named reserved are zero.
 *   - Durations and instants are signed 64-bit nanoseconds; an instant of wall time counts from 1970-01-01T00:00:00Z
 *     without leap seconds, a monotonic instant is CLOCK_MONOTONIC.
 *   - No exception, no longjmp and no Swift error may cross this interface.
 *
 * docs/adapter-abi.md says what comments cannot: life cycle, evolution, and what the host does with each status.
 */
#ifndef METER_ADAPTER_H
#define METER_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define METER_STATIC_ASSERT(condition, message) static_assert(condition, message)
extern "C" {
#else
#define METER_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

/* ------------------------------------------------------------------------------------------------ version -- */

/** First word of meter_library and meter_descriptor: "METR". */
#define METER_MAGIC 0x4D455452u
/** 0 is compatible with nothing but the same minor; from 1 on, a host loads every library of its own major. */
#define METER_ABI_MAJOR 1u
#define METER_ABI_MINOR 0u
/** The argument of meter_adapter_entry. */
#define METER_ABI ((METER_ABI_MAJOR << 16) | METER_ABI_MINOR)

/* --------------------------------------------------------------------------------------------------- text -- */

/** UTF-8, not NUL-terminated, owned by whoever filled it in. */
typedef struct meter_text {
    const char *data;
    uint32_t length; /**< Bytes. */
    uint32_t reserved;
} meter_text;

/* ------------------------------------------------------------------------------------------------- errors -- */

/** Result of every fallible call. 0 is success. */
#define METER_OK 0

/* 1 to 99: worth another try. The host retries with growing pauses (or after retry_after_ns). */
#define METER_UNREACHABLE 1   /**< No connection, name not found, connection lost. */
#define METER_TIMEOUT 2       /**< The deadline passed. */
#define METER_UNAVAILABLE 3   /**< It answered that it cannot answer now: 5xx, busy, maintenance. */
#define METER_RATE_LIMITED 4  /**< It asked for fewer requests: 429. */
#define METER_UNAUTHORIZED 5  /**< It refused the credentials, and asking again later does no harm. */
#define METER_BAD_DATA 6      /**< It answered something that makes no sense. */
#define METER_NO_DATA 7       /**< It is there and has nothing to say at present. */
#define METER_RATIONED 8      /**< The day's ration of requests is used up. */
#define METER_CANCELLED 9     /**< The host asked to stop. */
#define METER_TOO_LARGE 10    /**< An answer or a value exceeded its limit. */
#define METER_NOT_FOUND 11    /**< No such key, path or device. */
#define METER_BUFFER_TOO_SMALL 12 /**< The needed size has been stored; nothing else has happened. */
#define METER_TLS_FAILED 13   /**< The peer's certificate is not trusted, or TLS could not be agreed. */
#define METER_INVALID 14      /**< An argument breaks a rule of this header. */
#define METER_FAILED 15       /**< Anything else. */

/* 100 to 199: retrying cannot help. The host waits for a changed setting, `smart-meter login`, or SIGHUP. */
#define METER_MISCONFIGURED 100        /**< A setting is missing or wrong; the message names it. */
#define METER_CREDENTIALS_REFUSED 101  /**< Refused by an account that locks: never retried on a timer. */
#define METER_LOGIN_REQUIRED 102       /**< Somebody must log in (meter.login/1). */
#define METER_UNSUPPORTED 103          /**< The device or its firmware lacks what the adapter needs. */

/**
 * Where a failed call says why. The caller provides it zeroed but for struct_size and may pass NULL where it does not
 * care. The callee fills it in on failure only.
 */
typedef struct meter_error {
    uint32_t struct_size;
    int32_t code;            /**< The same code as the call returns. */
    int64_t retry_after_ns;  /**< The earliest sensible retry, counted from now; 0 = the host decides. */
    uint32_t message_length; /**< Bytes used in message, at most sizeof message. */
    uint32_t reserved;
    char message[488];       /**< One line for a person: what is wrong, where, what to do. UTF-8. No secrets. */
} meter_error;

/* ----------------------------------------------------------------------------------------------- readings -- */

/* Quality of a number: how it was got. */
#define METER_QUALITY_UNKNOWN 0u
#define METER_QUALITY_MEASURED 1u
#define METER_QUALITY_ESTIMATED 2u  /**< Inferred, by a model or a cloud. */
#define METER_QUALITY_BACKFILLED 3u /**< From the meter's own history. */

/*
 * Kind of a circuit. The sign of its power follows from it: consuming kinds (load, ev, heating, total, other, unknown)
 * are positive when they consume; grid is positive on import, solar on production, battery on discharge.
 */
#define METER_KIND_UNKNOWN 0u
#define METER_KIND_LOAD 1u
#define METER_KIND_EV 2u
#define METER_KIND_HEATING 3u
#define METER_KIND_GRID 4u
#define METER_KIND_SOLAR 5u
#define METER_KIND_BATTERY 6u
#define METER_KIND_TOTAL 7u /**< A total over other circuits: shown, never summed. */
#define METER_KIND_OTHER 8u

/*
 * Bits of meter_reading.present; the first four are also the bits of meter_reading.known. A number without its bit is
 * not measured, so a zeroed struct says "nothing measured". A set bit with NaN or infinity is bad data.
 */
#define METER_GRID_POWER 0x1ull
#define METER_SOLAR_POWER 0x2ull
#define METER_BATTERY_POWER 0x4ull
#define METER_CONSUMPTION_POWER 0x8ull
#define METER_PERIOD_IMPORT 0x10ull
#define METER_PERIOD_EXPORT 0x20ull
#define METER_PERIOD_PRODUCTION 0x40ull
#define METER_PERIOD_CONSUMPTION 0x80ull
#define METER_PERIOD_CHARGE 0x100ull
#define METER_PERIOD_DISCHARGE 0x200ull
#define METER_TOTAL_IMPORT 0x400ull
#define METER_TOTAL_EXPORT 0x800ull
#define METER_TOTAL_PRODUCTION 0x1000ull
#define METER_TOTAL_CONSUMPTION 0x2000ull
#define METER_TOTAL_CHARGE 0x4000ull
#define METER_TOTAL_DISCHARGE 0x8000ull
#define METER_DAY_ENERGY 0x10000ull
#define METER_VOLTAGE_1 0x20000ull
#define METER_VOLTAGE_2 0x40000ull
#define METER_VOLTAGE_3 0x80000ull
#define METER_FREQUENCY 0x100000ull

/* Bits of meter_circuit.present. */
#define METER_CIRCUIT_POWER 0x1ull
#define METER_CIRCUIT_PERIOD_ENERGY 0x2ull
#define METER_CIRCUIT_PERIOD_RETURNED 0x4ull
#define METER_CIRCUIT_TOTAL_ENERGY 0x8ull
#define METER_CIRCUIT_TOTAL_RETURNED 0x10ull
#define METER_CIRCUIT_VOLTAGE 0x20ull
#define METER_CIRCUIT_CURRENT 0x40ull
#define METER_CIRCUIT_POWER_FACTOR 0x80ull

/** One branch of the house. Element of meter_reading.circuits. */
typedef struct meter_circuit {
    meter_text id;        /**< Unique within the instance and stable for good: history hangs on it. 1 to 255 bytes. */
    meter_text name;      /**< For people; may change. At most 255 bytes. Empty = the id. */
    meter_text parent_id; /**< Id of the circuit that this one hangs on; empty = directly below the mains. */
    uint32_t kind;        /**< METER_KIND_... */
    uint32_t phase;       /**< 1 to 3; 0 = none or several. */
    uint32_t quality;     /**< METER_QUALITY_...; unknown = that of the reading. */
    uint32_t reserved;
    uint64_t present;     /**< METER_CIRCUIT_... bits. */
    double power_w;             /**< Watts; the sign follows the kind. */
    double period_energy_kwh;   /**< Energy of the reading's period in the kind's positive direction; >= 0. */
    double period_returned_kwh; /**< The same in the opposite direction; >= 0. */
    double total_energy_kwh;    /**< Lifetime counter in the kind's positive direction; may reset. */
    double total_returned_kwh;  /**< Lifetime counter in the opposite direction; may reset. */
    double voltage_v;
    double current_a;
    double power_factor;        /**< -1 to 1. */
} meter_circuit;

/**
 * What a meter says at one instant, or about one period. Left-out numbers are "not measured", which is never zero.
 * Begin with meter_reading_make() and use the setters below: they set the number and its bit together.
 */
typedef struct meter_reading {
    uint32_t struct_size;
    uint32_t quality;      /**< METER_QUALITY_... of everything in it that does not say otherwise. */
    uint64_t known;        /**< Which of the four powers this instance is configured to measure: the first four bits.
                                Constant from start to stop. A part that is known but not present is "missing now";
                                one that is not known does not exist in this house. */
    uint64_t present;      /**< Which numbers below are measured. */
    int64_t timestamp_ns;  /**< Wall time that the numbers belong to; 0 = the moment of emit. */
    int64_t period_ns;     /**< 0: instantaneous. Else the reading is the mean of, and its period energies are the
                                energy in, (timestamp - period, timestamp]. */
    double grid_power_w;        /**< Watts, + import, - export. */
    double solar_power_w;       /**< Watts, + production. */
    double battery_power_w;     /**< Watts, + discharge, - charge. */
    double consumption_power_w; /**< Watts, what the house uses. Left out where grid, solar and battery are known:
                                     the host computes it. */
    /* Energy within the period; each >= 0; only where period_ns > 0. */
    double period_import_kwh;
    double period_export_kwh;
    double period_production_kwh;
    double period_consumption_kwh;
    double period_charge_kwh;
    double period_discharge_kwh;
    /* Lifetime counters; each >= 0; a reset or swap is the host's to notice. */
    double total_import_kwh;
    double total_export_kwh;
    double total_production_kwh;
    double total_consumption_kwh;
    double total_charge_kwh;
    double total_discharge_kwh;
    double day_energy_kwh;      /**< The meter's own "today": consumption since its midnight. */
    double voltage_v[3];        /**< Per phase. */
    double frequency_hz;
    const meter_circuit *circuits; /**< NULL when circuit_count is 0. */
    uint32_t circuit_count;
    uint32_t circuit_stride;       /**< sizeof(meter_circuit) of the header that the adapter was built with. */
} meter_reading;

/* Results of emit. */
#define METER_EMIT_QUEUED 0  /**< Copied and on its way. */
#define METER_EMIT_BUSY 1    /**< The queue is full: dropped and counted. Slow down. */
#define METER_EMIT_INVALID 2 /**< It breaks a rule of this header; the host has logged which. */
#define METER_EMIT_CLOSED 3  /**< The instance is stopping or gone. */

/* ------------------------------------------------------------------------------------------ host services -- */

#define METER_LOG_ERROR 1u
#define METER_LOG_WARNING 2u
#define METER_LOG_INFO 3u
#define METER_LOG_DEBUG 4u

/**
 * What the host gives one instance; passed to create and valid until destroy returns (after that, every call answers
 * CLOSED or CANCELLED and does nothing). Pass `context` as the first argument of each function.
 * Legal from create on: log, setting, extension, now_wall, now_monotonic. Everything else from the entry of start to
 * the return of stop. No service takes a lock that the host holds across a call into an adapter.
 */
typedef struct meter_host {
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t struct_size;
    uint32_t reserved;
    meter_text name;    /**< The host's name and version, for logs and user agents. Valid until destroy. */
    meter_text instance; /**< This instance: "type" or "type@label". Valid until destroy. */
    void *context;
    /** [host][any] One event, one line. Secrets among the settings are masked by the host. Never blocks. */
    void (*log)(void *context, uint32_t level, meter_text message);
    /** [host][any] The value of a declared setting, or its default. Returns METER_OK and a text that is valid and
     *  unchanged until destroy; METER_NOT_FOUND where there is neither; METER_INVALID for an undeclared name. */
    int32_t (*setting)(void *context, meter_text name, meter_text *value);
    /** [host][any] The table of a host extension ("meter.host.http/1"), or NULL where this host has none. Valid until
     *  destroy. */
    const void *(*extension)(void *context, meter_text id);
    /** [host][any] Hands over a reading. Copies it and returns at once; never waits for the disk. METER_EMIT_... */
    int32_t (*emit)(void *context, const meter_reading *reading);
    /** [host][any] A push adapter's state: METER_OK, or a code with a reason. Sticky until the next call. */
    void (*condition)(void *context, int32_t code, int64_t retry_after_ns, meter_text message);
    /** [host][any] Wall time in ns. May step. */
    int64_t (*now_wall)(void *context);
    /** [host][any] CLOCK_MONOTONIC in ns: the clock of every deadline. */
    int64_t (*now_monotonic)(void *context);
    /** [host][any] 1 once the running call should return. Cheap: a local atomic. */
    int32_t (*cancelled)(void *context);
    /** [host][any] A descriptor that becomes readable together with cancelled. Poll it; never read or close it. A
     *  blocking call that cannot watch it lasts at most 500 ms. */
    int32_t (*cancel_fd)(void *context);
    /** [host][any] Asks for `requests` of the day's ration, for an adapter with a transport of its own (the host's HTTP
     *  counts by itself). METER_OK or METER_RATIONED. */
    int32_t (*spend)(void *context, uint32_t requests);
} meter_host;

/* -- meter.host.http/1: one request at a time and an instance -- */

#define METER_HOST_HTTP "meter.host.http/1"

#define METER_HTTP_GET 0u
#define METER_HTTP_POST 1u
#define METER_HTTP_PUT 2u
#define METER_HTTP_DELETE 3u

#define METER_AUTH_NONE 0u
#define METER_AUTH_BASIC 1u  /**< user, secret */
#define METER_AUTH_DIGEST 2u /**< user, secret */
#define METER_AUTH_BEARER 3u /**< secret */

/** Flag of a request: a redirect is its answer. For what may go to this server alone: headers and bodies, other than
 *  what `auth` sends, are sent again to wherever a redirect names. */
#define METER_HTTP_NO_REDIRECTS 0x1u

typedef struct meter_http_header {
    meter_text name;
    meter_text value;
} meter_http_header;

typedef struct meter_http_request {
    uint32_t struct_size;
    uint32_t method;                  /**< METER_HTTP_... */
    meter_text url;                   /**< http or https. */
    const meter_http_header *headers; /**< May be NULL. */
    uint32_t header_count;
    uint32_t header_stride;
    meter_text body;                  /**< Sent with POST and PUT; empty = none. Give its type as a header. */
    uint32_t auth;                    /**< METER_AUTH_... Never sent to another host that a redirect names. */
    uint32_t flags;                   /**< METER_HTTP_NO_REDIRECTS, or 0. */
    meter_text user;
    meter_text secret;
    meter_text ca_file;               /**< PEM file to trust instead of the system's; empty = the system's. */
    int64_t deadline_ns;              /**< Monotonic; 0 = that of the running call. */
    uint64_t max_body_bytes;          /**< 0 = 4 MiB. More ends the request with METER_TOO_LARGE. */
    void *body_context;
    /** [adapter] Called from within perform, on the same thread, zero or more times in order, whatever the status.
     *  Returns 0 to go on, anything else to end the request with METER_CANCELLED. May be NULL. */
    int32_t (*on_body)(void *body_context, const uint8_t *bytes, size_t count);
} meter_http_request;

typedef struct meter_http_response {
    uint32_t struct_size;
    int32_t status;          /**< 100 to 599. */
    int64_t retry_after_ns;  /**< From Retry-After; 0 = none. */
    uint64_t body_bytes;
    uint32_t content_type_length;
    uint32_t reserved;
    char content_type[96];
} meter_http_response;

typedef struct meter_host_http {
    /** [host] One request, until its last byte. From within start, read, history, login, or a thread of the adapter's
     *  own. METER_OK when an answer of whatever status came in whole; else UNREACHABLE, TIMEOUT, TLS_FAILED,
     *  TOO_LARGE, CANCELLED, RATIONED, INVALID. Every attempt counts against the ration before it is made. */
    int32_t (*perform)(void *context, const meter_http_request *request, meter_http_response *response,
                       meter_error *error);
} meter_host_http;

/* -- meter.host.state/1: small values that outlive a restart (tokens, cursors) -- */

#define METER_HOST_STATE "meter.host.state/1"
#define METER_STATE_MAX_BYTES 65536u

typedef struct meter_host_state {
    /** [host] Copies the value of `key` into `buffer`, up to `capacity`; `needed` receives its full size. METER_OK,
     *  METER_NOT_FOUND, METER_BUFFER_TOO_SMALL. */
    int32_t (*get)(void *context, meter_text key, uint8_t *buffer, uint32_t capacity, uint32_t *needed);
    /** [host] Stores a value; length 0 removes it. Returns once it is durable, and never becomes durable before what
     *  was emitted before it. Commits also after the instance was told to stop, until stop returns. */
    int32_t (*set)(void *context, meter_text key, const uint8_t *bytes, uint32_t length, meter_error *error);
} meter_host_state;

/* -------------------------------------------------------------------------------------- adapter extensions -- */

/* Handed out by meter_descriptor.extension(). A table is frozen: any change is a new id. */

typedef struct meter_instance meter_instance; /**< The adapter's own; the host never looks into it. */

/* -- meter.history/1: readings of the past from the meter's own log -- */

#define METER_HISTORY "meter.history/1"

typedef struct meter_history_request {
    uint32_t struct_size;
    uint32_t max_records;
    int64_t from_ns;     /**< Records with from < timestamp <= to are asked for: (from, to]. */
    int64_t to_ns;
    int64_t step_ns;     /**< The period wanted of a record; the adapter may give coarser, never finer, ones. */
    int64_t deadline_ns; /**< Monotonic; at most 5 s away. Return MORE rather than overrun it. */
} meter_history_request;

#define METER_SINK_CONTINUE 0
#define METER_SINK_STOP 1

typedef struct meter_history_sink {
    void *context;
    /** [host] Takes one record, in ascending order of timestamp, on the calling thread. METER_SINK_...; STOP: this
     *  record was taken, no further one is wanted. Records go here only, never to emit. */
    int32_t (*put)(void *context, const meter_reading *record);
} meter_history_sink;

#define METER_HISTORY_COMPLETE 1u    /**< Everything that the meter has for the span was put. */
#define METER_HISTORY_MORE 2u        /**< Ask again from covered_to. */
#define METER_HISTORY_NOT_YET 3u     /**< The meter has not written it down yet: ask again in retry_after. */
#define METER_HISTORY_NONE_BEFORE 4u /**< The meter's log begins at none_before, later than from; nothing was put. */

typedef struct meter_history_result {
    uint32_t struct_size;
    uint32_t outcome;       /**< METER_HISTORY_... */
    int64_t covered_to_ns;  /**< With every outcome: everything up to here has been answered for. */
    int64_t retry_after_ns; /**< With NOT_YET. */
    int64_t none_before_ns; /**< With NONE_BEFORE. */
} meter_history_result;

typedef struct meter_history {
    /** [adapter][serial] Between start and stop. */
    int32_t (*history)(meter_instance *instance, const meter_history_request *request, const meter_history_sink *sink,
                       meter_history_result *result, meter_error *error);
} meter_history;

/* -- meter.login/1: credentials that need a person -- */

#define METER_LOGIN "meter.login/1"

#define METER_PROMPT_TEXT 1u
#define METER_PROMPT_SECRET 2u /**< Not echoed. */
#define METER_PROMPT_CODE 3u   /**< A one-time code. */

typedef struct meter_login_prompter {
    void *context;
    /** [host] Asks a person, one question at a time. Blocks until answered, or until the login is cancelled. The question
     *  is one line; what a terminal would obey in it is not shown. The answer goes to `buffer`, its size to `length`.
     *  METER_OK, METER_CANCELLED, METER_BUFFER_TOO_SMALL. */
    int32_t (*prompt)(void *context, uint32_t kind, meter_text question, char *buffer, uint32_t capacity,
                      uint32_t *length);
} meter_login_prompter;

typedef struct meter_login_result {
    uint32_t struct_size;
    uint32_t text_length;
    char text[1016]; /**< What was found: account, devices, zone. UTF-8. No secrets. */
} meter_login_result;

typedef struct meter_login {
    /** [adapter][serial] Between start and stop, and after a start that failed (every service answers then, too: start
     *  may need what login gets). No deadline; but once a prompt has answered CANCELLED, nobody is there any more, and a
     *  call that has not returned 15 s later is given up. Tokens go to meter.host.state/1. */
    int32_t (*login)(meter_instance *instance, const meter_login_prompter *prompter, meter_login_result *result,
                     meter_error *error);
} meter_login;

/* --------------------------------------------------------------------------------------------- descriptor -- */

/* Kind of a setting. */
#define METER_SETTING_TEXT 1u
#define METER_SETTING_NUMBER 2u
#define METER_SETTING_FLAG 3u   /**< The host hands over "1" or "0". */
#define METER_SETTING_URL 4u    /**< http, https, mqtt or mqtts. */
#define METER_SETTING_SECRET 5u /**< Never shown, masked in every log line. */
#define METER_SETTING_FILE 6u   /**< A path. */
#define METER_SETTING_LIST 7u   /**< Comma-separated; handed over as written. */
#define METER_SETTING_CHOICE 8u /**< One of `choices`. */

/** A setting of an adapter. Element of meter_descriptor.settings. */
typedef struct meter_setting {
    meter_text name;          /**< Bare: [a-z][a-z0-9_]*. The host reads it from the variable <TYPE>_<NAME>. */
    meter_text help;          /**< One line for a person. */
    meter_text default_value; /**< Empty = none. */
    meter_text choices;       /**< Comma-separated; with METER_SETTING_CHOICE. */
    uint32_t kind;            /**< METER_SETTING_... */
    uint32_t required;        /**< 1: without it the instance is misconfigured and never created. */
} meter_setting;

#define METER_DELIVERY_PULL 1u /**< The host calls read on a schedule. */
#define METER_DELIVERY_PUSH 2u /**< The adapter emits when it has something; read is NULL. */

/**
 * What an adapter is and how to run it. Lives as long as the library is loaded, and never changes. Its first 16 bytes
 * never change in any version.
 */
typedef struct meter_descriptor {
    uint32_t magic;       /**< METER_MAGIC */
    uint32_t abi_major;   /**< METER_ABI_MAJOR */
    uint32_t abi_minor;   /**< METER_ABI_MINOR */
    uint32_t struct_size; /**< sizeof(meter_descriptor) */
    meter_text meter_type;  /**< [a-z][a-z0-9_]*, at most 32 bytes: what METER_TYPE names. */
    meter_text name;        /**< For people. Mandatory. */
    meter_text vendor;
    meter_text version;     /**< Of the adapter. Mandatory. */
    meter_text url;
    meter_text description; /**< One line. */
    uint32_t delivery;      /**< METER_DELIVERY_... */
    uint32_t requests_per_day;    /**< What the device or cloud allows; 0 = no limit. */
    int64_t default_sampling_ns;  /**< How often to read; 0 = once an interval (the meter averages by itself). */
    int64_t minimum_sampling_ns;  /**< Never more often than this. */
    int64_t late_ns;              /**< How late a reading may come and still be expected; 0 = 60 s. */
    int64_t history_step_ns;      /**< Finest step of meter.history/1; 0 = no history. */
    int64_t history_reach_ns;     /**< How far back it reaches; 0 = unknown. */
    const meter_setting *settings; /**< NULL when setting_count is 0. */
    uint32_t setting_count;
    uint32_t setting_stride;       /**< sizeof(meter_setting) */
    /** [adapter] Makes an instance. No threads, no I/O: checks settings, allocates. Creates of one library never
     *  overlap. `descriptor` is this descriptor. On success stores an instance and returns METER_OK; on failure
     *  stores nothing, and nothing is to be destroyed. */
    int32_t (*create)(const struct meter_descriptor *descriptor, const meter_host *host, meter_instance **instance,
                      meter_error *error);
    /** [adapter][serial] Connects, or starts threads. May do I/O, within 15 s. A failure is retried by the host with
     *  start again; stop is not called after a failed start. */
    int32_t (*start)(meter_instance *instance, meter_error *error);
    /** [adapter][serial] Takes one sample and emits it before it returns. NULL for push adapters. `deadline_ns` is
     *  monotonic. A call that overruns it by 2 s is given up: where the adapter has a process of its own, that is killed
     *  and started again; in the host's process the instance is never called again. */
    int32_t (*read)(meter_instance *instance, int64_t deadline_ns, meter_error *error);
    /** [adapter][serial] Ends what start began: joins threads, closes connections, within 1 s. */
    void (*stop)(meter_instance *instance);
    /** [adapter][serial] Frees the instance. Never called between start and stop. */
    void (*destroy)(meter_instance *instance);
    /** [adapter][any] The table of an adapter extension, or NULL. May be NULL itself. */
    const void *(*extension)(meter_text id);
} meter_descriptor;

/** What one library holds. Lives as long as the library is loaded. Its first 16 bytes never change in any version. */
typedef struct meter_library {
    uint32_t magic;       /**< METER_MAGIC */
    uint32_t abi_major;   /**< METER_ABI_MAJOR */
    uint32_t abi_minor;   /**< METER_ABI_MINOR */
    uint32_t struct_size; /**< sizeof(meter_library) */
    const meter_descriptor *const *descriptors;
    uint32_t descriptor_count; /**< 1 to 64. */
    uint32_t reserved;
} meter_library;

#if defined(__GNUC__)
#define METER_EXPORT __attribute__((visibility("default")))
#else
#define METER_EXPORT
#endif

/**
 * [adapter] The one exported function. Called once a library, before any other call into it. `host_abi` is the host's
 * METER_ABI. Returns NULL where the library cannot serve such a host.
 */
METER_EXPORT const meter_library *meter_adapter_entry(uint32_t host_abi);

/* ------------------------------------------------------------------------------------------------ helpers -- */

/** 1 where a library that was built with this header can serve a host of that METER_ABI. */
static inline int32_t meter_serves(uint32_t host_abi) {
    return METER_ABI_MAJOR == 0u ? host_abi == METER_ABI : host_abi >> 16 == METER_ABI_MAJOR;
}

/** A text from a NUL-terminated string; the string must outlive it. */
static inline meter_text meter_text_of(const char *string) {
    uint32_t length = 0;
    meter_text text;
    if (string != NULL) {
        while (string[length] != '\0') {
            length++;
        }
    }
    text.data = string;
    text.length = length;
    text.reserved = 0;
    return text;
}

/** 1 where the text equals the NUL-terminated string. */
static inline int32_t meter_text_is(meter_text text, const char *string) {
    uint32_t i = 0;
    while (i < text.length && string[i] != '\0' && text.data[i] == string[i]) {
        i++;
    }
    return i == text.length && string[i] == '\0';
}

/** A text from a string literal, usable in static initialisers. */
#define METER_TEXT(literal) {(literal), (uint32_t)(sizeof(literal) - 1), 0}

/** Fills in an error (which may be NULL) and returns its code: `return meter_fail(error, METER_TIMEOUT, "...");` */
static inline int32_t meter_fail(meter_error *error, int32_t code, const char *message) {
    if (error != NULL) {
        uint32_t length = 0;
        while (length < sizeof error->message && message[length] != '\0') {
            error->message[length] = message[length];
            length++;
        }
        error->code = code;
        error->message_length = length;
    }
    return code;
}

#ifdef __cplusplus
#define METER_ZERO {}
#else
#define METER_ZERO {0}
#endif

/** An empty reading: nothing known, nothing measured, stamped with the moment of emit. */
static inline meter_reading meter_reading_make(void) {
    meter_reading reading = METER_ZERO;
    reading.struct_size = (uint32_t)sizeof(meter_reading);
    reading.circuit_stride = (uint32_t)sizeof(meter_circuit);
    return reading;
}

/** A circuit of which nothing is measured yet. */
static inline meter_circuit meter_circuit_make(const char *id, const char *name, uint32_t kind) {
    meter_circuit circuit = METER_ZERO;
    circuit.id = meter_text_of(id);
    circuit.name = meter_text_of(name);
    circuit.kind = kind;
    return circuit;
}

#define METER_SETTER(field, bit)                                                      \
    static inline void meter_set_##field(meter_reading *reading, double value) {      \
        reading->field = value;                                                       \
        reading->present |= (bit);                                                    \
    }
METER_SETTER(grid_power_w, METER_GRID_POWER)
METER_SETTER(solar_power_w, METER_SOLAR_POWER)
METER_SETTER(battery_power_w, METER_BATTERY_POWER)
METER_SETTER(consumption_power_w, METER_CONSUMPTION_POWER)
METER_SETTER(period_import_kwh, METER_PERIOD_IMPORT)
METER_SETTER(period_export_kwh, METER_PERIOD_EXPORT)
METER_SETTER(period_production_kwh, METER_PERIOD_PRODUCTION)
METER_SETTER(period_consumption_kwh, METER_PERIOD_CONSUMPTION)
METER_SETTER(period_charge_kwh, METER_PERIOD_CHARGE)
METER_SETTER(period_discharge_kwh, METER_PERIOD_DISCHARGE)
METER_SETTER(total_import_kwh, METER_TOTAL_IMPORT)
METER_SETTER(total_export_kwh, METER_TOTAL_EXPORT)
METER_SETTER(total_production_kwh, METER_TOTAL_PRODUCTION)
METER_SETTER(total_consumption_kwh, METER_TOTAL_CONSUMPTION)
METER_SETTER(total_charge_kwh, METER_TOTAL_CHARGE)
METER_SETTER(total_discharge_kwh, METER_TOTAL_DISCHARGE)
METER_SETTER(day_energy_kwh, METER_DAY_ENERGY)
METER_SETTER(frequency_hz, METER_FREQUENCY)
#undef METER_SETTER

/** `phase` is 1 to 3; anything else is ignored. */
static inline void meter_set_voltage_v(meter_reading *reading, uint32_t phase, double value) {
    if (phase >= 1 && phase <= 3) {
        reading->voltage_v[phase - 1] = value;
        reading->present |= METER_VOLTAGE_1 << (phase - 1);
    }
}

#define METER_CIRCUIT_SETTER(field, bit)                                                 \
    static inline void meter_circuit_set_##field(meter_circuit *circuit, double value) { \
        circuit->field = value;                                                          \
        circuit->present |= (bit);                                                       \
    }
METER_CIRCUIT_SETTER(power_w, METER_CIRCUIT_POWER)
METER_CIRCUIT_SETTER(period_energy_kwh, METER_CIRCUIT_PERIOD_ENERGY)
METER_CIRCUIT_SETTER(period_returned_kwh, METER_CIRCUIT_PERIOD_RETURNED)
METER_CIRCUIT_SETTER(total_energy_kwh, METER_CIRCUIT_TOTAL_ENERGY)
METER_CIRCUIT_SETTER(total_returned_kwh, METER_CIRCUIT_TOTAL_RETURNED)
METER_CIRCUIT_SETTER(voltage_v, METER_CIRCUIT_VOLTAGE)
METER_CIRCUIT_SETTER(current_a, METER_CIRCUIT_CURRENT)
METER_CIRCUIT_SETTER(power_factor, METER_CIRCUIT_POWER_FACTOR)
#undef METER_CIRCUIT_SETTER

/* ------------------------------------------------------------------------------------------------- layout -- */

/* LP64, no implicit padding, sizes multiples of 8: what is compiled is what is written above. */
METER_STATIC_ASSERT(sizeof(void *) == 8 && sizeof(size_t) == 8, "LP64 only");
METER_STATIC_ASSERT(sizeof(meter_text) == 16, "layout");
METER_STATIC_ASSERT(sizeof(meter_error) == 512, "layout");
METER_STATIC_ASSERT(sizeof(meter_circuit) == 136, "layout");
METER_STATIC_ASSERT(offsetof(meter_circuit, kind) == 48, "layout");
METER_STATIC_ASSERT(offsetof(meter_circuit, present) == 64, "layout");
METER_STATIC_ASSERT(offsetof(meter_circuit, power_factor) == 128, "layout");
METER_STATIC_ASSERT(sizeof(meter_reading) == 224, "layout");
METER_STATIC_ASSERT(offsetof(meter_reading, present) == 16, "layout");
METER_STATIC_ASSERT(offsetof(meter_reading, grid_power_w) == 40, "layout");
METER_STATIC_ASSERT(offsetof(meter_reading, day_energy_kwh) == 168, "layout");
METER_STATIC_ASSERT(offsetof(meter_reading, circuits) == 208, "layout");
METER_STATIC_ASSERT(sizeof(meter_host) == 136, "layout");
METER_STATIC_ASSERT(offsetof(meter_host, context) == 48, "layout");
METER_STATIC_ASSERT(sizeof(meter_http_header) == 32, "layout");
METER_STATIC_ASSERT(sizeof(meter_http_request) == 144, "layout");
METER_STATIC_ASSERT(sizeof(meter_http_response) == 128, "layout");
METER_STATIC_ASSERT(sizeof(meter_history_request) == 40, "layout");
METER_STATIC_ASSERT(sizeof(meter_history_sink) == 16, "layout");
METER_STATIC_ASSERT(sizeof(meter_history_result) == 32, "layout");
METER_STATIC_ASSERT(sizeof(meter_login_prompter) == 16, "layout");
METER_STATIC_ASSERT(sizeof(meter_login_result) == 1024, "layout");
METER_STATIC_ASSERT(sizeof(meter_setting) == 72, "layout");
METER_STATIC_ASSERT(sizeof(meter_descriptor) == 224, "layout");
METER_STATIC_ASSERT(offsetof(meter_descriptor, struct_size) == 12, "layout");
METER_STATIC_ASSERT(offsetof(meter_descriptor, settings) == 160, "layout");
METER_STATIC_ASSERT(offsetof(meter_descriptor, create) == 176, "layout");
METER_STATIC_ASSERT(sizeof(meter_library) == 32, "layout");
METER_STATIC_ASSERT(offsetof(meter_library, struct_size) == 12, "layout");

#ifdef __cplusplus
}
#endif

#endif /* METER_ADAPTER_H */
