//! `meter_adapter.h` in Rust: what the header says of a struct, a field or a function holds here. The test at the end
//! compiles a C program against the header and compares every size, offset and number.
#![allow(non_camel_case_types, dead_code)]

use std::os::raw::{c_char, c_void};

pub const METER_MAGIC: u32 = 0x4D45_5452;
pub const METER_ABI_MAJOR: u32 = 1;
pub const METER_ABI_MINOR: u32 = 0;
pub const METER_ABI: u32 = (METER_ABI_MAJOR << 16) | METER_ABI_MINOR;

/// Whether a library built with these declarations can serve a host of that METER_ABI.
pub const fn meter_serves(host_abi: u32) -> bool {
    if METER_ABI_MAJOR == 0 {
        host_abi == METER_ABI
    } else {
        host_abi >> 16 == METER_ABI_MAJOR
    }
}

pub const METER_OK: i32 = 0;
pub const METER_UNREACHABLE: i32 = 1;
pub const METER_TIMEOUT: i32 = 2;
pub const METER_UNAVAILABLE: i32 = 3;
pub const METER_RATE_LIMITED: i32 = 4;
pub const METER_UNAUTHORIZED: i32 = 5;
pub const METER_BAD_DATA: i32 = 6;
pub const METER_NO_DATA: i32 = 7;
pub const METER_RATIONED: i32 = 8;
pub const METER_CANCELLED: i32 = 9;
pub const METER_TOO_LARGE: i32 = 10;
pub const METER_NOT_FOUND: i32 = 11;
pub const METER_BUFFER_TOO_SMALL: i32 = 12;
pub const METER_TLS_FAILED: i32 = 13;
pub const METER_INVALID: i32 = 14;
pub const METER_FAILED: i32 = 15;
pub const METER_MISCONFIGURED: i32 = 100;
pub const METER_CREDENTIALS_REFUSED: i32 = 101;
pub const METER_LOGIN_REQUIRED: i32 = 102;
pub const METER_UNSUPPORTED: i32 = 103;

pub const METER_QUALITY_UNKNOWN: u32 = 0;
pub const METER_QUALITY_MEASURED: u32 = 1;
pub const METER_QUALITY_ESTIMATED: u32 = 2;
pub const METER_QUALITY_BACKFILLED: u32 = 3;

pub const METER_KIND_UNKNOWN: u32 = 0;
pub const METER_KIND_LOAD: u32 = 1;
pub const METER_KIND_EV: u32 = 2;
pub const METER_KIND_HEATING: u32 = 3;
pub const METER_KIND_GRID: u32 = 4;
pub const METER_KIND_SOLAR: u32 = 5;
pub const METER_KIND_BATTERY: u32 = 6;
pub const METER_KIND_TOTAL: u32 = 7;
pub const METER_KIND_OTHER: u32 = 8;

pub const METER_GRID_POWER: u64 = 0x1;
pub const METER_SOLAR_POWER: u64 = 0x2;
pub const METER_BATTERY_POWER: u64 = 0x4;
pub const METER_CONSUMPTION_POWER: u64 = 0x8;
pub const METER_PERIOD_IMPORT: u64 = 0x10;
pub const METER_PERIOD_EXPORT: u64 = 0x20;
pub const METER_PERIOD_PRODUCTION: u64 = 0x40;
pub const METER_PERIOD_CONSUMPTION: u64 = 0x80;
pub const METER_PERIOD_CHARGE: u64 = 0x100;
pub const METER_PERIOD_DISCHARGE: u64 = 0x200;
pub const METER_TOTAL_IMPORT: u64 = 0x400;
pub const METER_TOTAL_EXPORT: u64 = 0x800;
pub const METER_TOTAL_PRODUCTION: u64 = 0x1000;
pub const METER_TOTAL_CONSUMPTION: u64 = 0x2000;
pub const METER_TOTAL_CHARGE: u64 = 0x4000;
pub const METER_TOTAL_DISCHARGE: u64 = 0x8000;
pub const METER_DAY_ENERGY: u64 = 0x10000;
pub const METER_VOLTAGE_1: u64 = 0x20000;
pub const METER_VOLTAGE_2: u64 = 0x40000;
pub const METER_VOLTAGE_3: u64 = 0x80000;
pub const METER_FREQUENCY: u64 = 0x100000;

pub const METER_CIRCUIT_POWER: u64 = 0x1;
pub const METER_CIRCUIT_PERIOD_ENERGY: u64 = 0x2;
pub const METER_CIRCUIT_PERIOD_RETURNED: u64 = 0x4;
pub const METER_CIRCUIT_TOTAL_ENERGY: u64 = 0x8;
pub const METER_CIRCUIT_TOTAL_RETURNED: u64 = 0x10;
pub const METER_CIRCUIT_VOLTAGE: u64 = 0x20;
pub const METER_CIRCUIT_CURRENT: u64 = 0x40;
pub const METER_CIRCUIT_POWER_FACTOR: u64 = 0x80;

pub const METER_EMIT_QUEUED: i32 = 0;
pub const METER_EMIT_BUSY: i32 = 1;
pub const METER_EMIT_INVALID: i32 = 2;
pub const METER_EMIT_CLOSED: i32 = 3;

pub const METER_LOG_ERROR: u32 = 1;
pub const METER_LOG_WARNING: u32 = 2;
pub const METER_LOG_INFO: u32 = 3;
pub const METER_LOG_DEBUG: u32 = 4;

pub const METER_HTTP_GET: u32 = 0;
pub const METER_HTTP_POST: u32 = 1;
pub const METER_HTTP_PUT: u32 = 2;
pub const METER_HTTP_DELETE: u32 = 3;
pub const METER_AUTH_NONE: u32 = 0;
pub const METER_AUTH_BASIC: u32 = 1;
pub const METER_AUTH_DIGEST: u32 = 2;
pub const METER_AUTH_BEARER: u32 = 3;
/// Flag of a request: a redirect is its answer.
pub const METER_HTTP_NO_REDIRECTS: u32 = 1;

pub const METER_STATE_MAX_BYTES: u32 = 65536;

pub const METER_SINK_CONTINUE: i32 = 0;
pub const METER_SINK_STOP: i32 = 1;
pub const METER_HISTORY_COMPLETE: u32 = 1;
pub const METER_HISTORY_MORE: u32 = 2;
pub const METER_HISTORY_NOT_YET: u32 = 3;
pub const METER_HISTORY_NONE_BEFORE: u32 = 4;

pub const METER_PROMPT_TEXT: u32 = 1;
pub const METER_PROMPT_SECRET: u32 = 2;
pub const METER_PROMPT_CODE: u32 = 3;

pub const METER_SETTING_TEXT: u32 = 1;
pub const METER_SETTING_NUMBER: u32 = 2;
pub const METER_SETTING_FLAG: u32 = 3;
pub const METER_SETTING_URL: u32 = 4;
pub const METER_SETTING_SECRET: u32 = 5;
pub const METER_SETTING_FILE: u32 = 6;
pub const METER_SETTING_LIST: u32 = 7;
pub const METER_SETTING_CHOICE: u32 = 8;

pub const METER_DELIVERY_PULL: u32 = 1;
pub const METER_DELIVERY_PUSH: u32 = 2;

pub const METER_HOST_HTTP: &str = "meter.host.http/1";
pub const METER_HOST_STATE: &str = "meter.host.state/1";
pub const METER_HISTORY: &str = "meter.history/1";
pub const METER_LOGIN: &str = "meter.login/1";

#[repr(C)]
#[derive(Clone, Copy)]
pub struct meter_text {
    pub data: *const c_char,
    pub length: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct meter_error {
    pub struct_size: u32,
    pub code: i32,
    pub retry_after_ns: i64,
    pub message_length: u32,
    pub reserved: u32,
    pub message: [u8; 488],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct meter_circuit {
    pub id: meter_text,
    pub name: meter_text,
    pub parent_id: meter_text,
    pub kind: u32,
    pub phase: u32,
    pub quality: u32,
    pub reserved: u32,
    pub present: u64,
    pub power_w: f64,
    pub period_energy_kwh: f64,
    pub period_returned_kwh: f64,
    pub total_energy_kwh: f64,
    pub total_returned_kwh: f64,
    pub voltage_v: f64,
    pub current_a: f64,
    pub power_factor: f64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct meter_reading {
    pub struct_size: u32,
    pub quality: u32,
    pub known: u64,
    pub present: u64,
    pub timestamp_ns: i64,
    pub period_ns: i64,
    pub grid_power_w: f64,
    pub solar_power_w: f64,
    pub battery_power_w: f64,
    pub consumption_power_w: f64,
    pub period_import_kwh: f64,
    pub period_export_kwh: f64,
    pub period_production_kwh: f64,
    pub period_consumption_kwh: f64,
    pub period_charge_kwh: f64,
    pub period_discharge_kwh: f64,
    pub total_import_kwh: f64,
    pub total_export_kwh: f64,
    pub total_production_kwh: f64,
    pub total_consumption_kwh: f64,
    pub total_charge_kwh: f64,
    pub total_discharge_kwh: f64,
    pub day_energy_kwh: f64,
    pub voltage_v: [f64; 3],
    pub frequency_hz: f64,
    pub circuits: *const meter_circuit,
    pub circuit_count: u32,
    pub circuit_stride: u32,
}

/// The functions of a host are there unless its `struct_size` ends before them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct meter_host {
    pub abi_major: u32,
    pub abi_minor: u32,
    pub struct_size: u32,
    pub reserved: u32,
    pub name: meter_text,
    pub instance: meter_text,
    pub context: *mut c_void,
    pub log: Option<unsafe extern "C" fn(*mut c_void, u32, meter_text)>,
    pub setting: Option<unsafe extern "C" fn(*mut c_void, meter_text, *mut meter_text) -> i32>,
    pub extension: Option<unsafe extern "C" fn(*mut c_void, meter_text) -> *const c_void>,
    pub emit: Option<unsafe extern "C" fn(*mut c_void, *const meter_reading) -> i32>,
    pub condition: Option<unsafe extern "C" fn(*mut c_void, i32, i64, meter_text)>,
    pub now_wall: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    pub now_monotonic: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    pub cancelled: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
    pub cancel_fd: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
    pub spend: Option<unsafe extern "C" fn(*mut c_void, u32) -> i32>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct meter_http_header {
    pub name: meter_text,
    pub value: meter_text,
}

#[repr(C)]
pub struct meter_http_request {
    pub struct_size: u32,
    pub method: u32,
    pub url: meter_text,
    pub headers: *const meter_http_header,
    pub header_count: u32,
    pub header_stride: u32,
    pub body: meter_text,
    pub auth: u32,
    pub flags: u32,
    pub user: meter_text,
    pub secret: meter_text,
    pub ca_file: meter_text,
    pub deadline_ns: i64,
    pub max_body_bytes: u64,
    pub body_context: *mut c_void,
    pub on_body: Option<unsafe extern "C" fn(*mut c_void, *const u8, usize) -> i32>,
}

#[repr(C)]
pub struct meter_http_response {
    pub struct_size: u32,
    pub status: i32,
    pub retry_after_ns: i64,
    pub body_bytes: u64,
    pub content_type_length: u32,
    pub reserved: u32,
    pub content_type: [c_char; 96],
}

#[repr(C)]
pub struct meter_host_http {
    pub perform: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *const meter_http_request,
            *mut meter_http_response,
            *mut meter_error,
        ) -> i32,
    >,
}

#[repr(C)]
pub struct meter_host_state {
    pub get: Option<unsafe extern "C" fn(*mut c_void, meter_text, *mut u8, u32, *mut u32) -> i32>,
    pub set: Option<
        unsafe extern "C" fn(*mut c_void, meter_text, *const u8, u32, *mut meter_error) -> i32,
    >,
}

/// The adapter's own; the host never looks into it.
#[repr(C)]
pub struct meter_instance {
    _private: [u8; 0],
}

#[repr(C)]
pub struct meter_history_request {
    pub struct_size: u32,
    pub max_records: u32,
    pub from_ns: i64,
    pub to_ns: i64,
    pub step_ns: i64,
    pub deadline_ns: i64,
}

#[repr(C)]
pub struct meter_history_sink {
    pub context: *mut c_void,
    pub put: Option<unsafe extern "C" fn(*mut c_void, *const meter_reading) -> i32>,
}

#[repr(C)]
pub struct meter_history_result {
    pub struct_size: u32,
    pub outcome: u32,
    pub covered_to_ns: i64,
    pub retry_after_ns: i64,
    pub none_before_ns: i64,
}

#[repr(C)]
pub struct meter_history {
    pub history: Option<
        unsafe extern "C" fn(
            *mut meter_instance,
            *const meter_history_request,
            *const meter_history_sink,
            *mut meter_history_result,
            *mut meter_error,
        ) -> i32,
    >,
}

#[repr(C)]
pub struct meter_login_prompter {
    pub context: *mut c_void,
    pub prompt: Option<
        unsafe extern "C" fn(*mut c_void, u32, meter_text, *mut c_char, u32, *mut u32) -> i32,
    >,
}

#[repr(C)]
pub struct meter_login_result {
    pub struct_size: u32,
    pub text_length: u32,
    pub text: [c_char; 1016],
}

#[repr(C)]
pub struct meter_login {
    pub login: Option<
        unsafe extern "C" fn(
            *mut meter_instance,
            *const meter_login_prompter,
            *mut meter_login_result,
            *mut meter_error,
        ) -> i32,
    >,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct meter_setting {
    pub name: meter_text,
    pub help: meter_text,
    pub default_value: meter_text,
    pub choices: meter_text,
    pub kind: u32,
    pub required: u32,
}

#[repr(C)]
pub struct meter_descriptor {
    pub magic: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub struct_size: u32,
    pub meter_type: meter_text,
    pub name: meter_text,
    pub vendor: meter_text,
    pub version: meter_text,
    pub url: meter_text,
    pub description: meter_text,
    pub delivery: u32,
    pub requests_per_day: u32,
    pub default_sampling_ns: i64,
    pub minimum_sampling_ns: i64,
    pub late_ns: i64,
    pub history_step_ns: i64,
    pub history_reach_ns: i64,
    pub settings: *const meter_setting,
    pub setting_count: u32,
    pub setting_stride: u32,
    pub create: Option<
        unsafe extern "C" fn(
            *const meter_descriptor,
            *const meter_host,
            *mut *mut meter_instance,
            *mut meter_error,
        ) -> i32,
    >,
    pub start: Option<unsafe extern "C" fn(*mut meter_instance, *mut meter_error) -> i32>,
    pub read: Option<unsafe extern "C" fn(*mut meter_instance, i64, *mut meter_error) -> i32>,
    pub stop: Option<unsafe extern "C" fn(*mut meter_instance)>,
    pub destroy: Option<unsafe extern "C" fn(*mut meter_instance)>,
    pub extension: Option<unsafe extern "C" fn(meter_text) -> *const c_void>,
}

#[repr(C)]
pub struct meter_library {
    pub magic: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub struct_size: u32,
    pub descriptors: *const *const meter_descriptor,
    pub descriptor_count: u32,
    pub reserved: u32,
}

#[cfg(test)]
#[path = "abi_tests.rs"]
mod tests;
