#pragma once
#include <curl/curl.h>

/* curl's setters and getters are variadic macros, which Swift does not import: one typed function each. */
static inline CURLcode sm_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode sm_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode sm_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode sm_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
typedef size_t (*sm_curl_data_function)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode sm_curl_set_write(CURL *handle, sm_curl_data_function function, void *context) {
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, function);
}
static inline CURLcode sm_curl_set_header(CURL *handle, sm_curl_data_function function, void *context) {
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
    return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, function);
}
static inline CURLcode sm_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode sm_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}
/* CURLAUTH_… are macros with casts. */
static inline long sm_curl_auth_basic(void) { return (long)CURLAUTH_BASIC; }
static inline long sm_curl_auth_digest(void) { return (long)CURLAUTH_DIGEST; }
static inline long sm_curl_auth_bearer(void) { return (long)CURLAUTH_BEARER; }
