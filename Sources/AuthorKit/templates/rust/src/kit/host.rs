use super::{nanoseconds, string, text, Failure, Reading};
use crate::abi::*;
use std::ffi::c_void;
use std::time::Duration;

/// What the host gives one instance. Usable from any thread; a copy is another name of the same host.
#[derive(Clone, Copy)]
pub struct Host {
    table: meter_host,
}

// The interface says so: every function of the table may be called from any thread, and it is constant until destroy.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

impl Host {
    /// What an older host does not have stays None.
    pub(super) unsafe fn copy(source: *const meter_host) -> Host {
        let mut table: meter_host = std::mem::zeroed();
        let size = ((*source).struct_size as usize).min(std::mem::size_of::<meter_host>());
        std::ptr::copy_nonoverlapping(source as *const u8, &mut table as *mut meter_host as *mut u8, size);
        Host { table }
    }

    /// One event, one line. The host masks secrets. `level`: METER_LOG_...
    pub fn log(&self, level: u32, message: &str) {
        if let Some(log) = self.table.log {
            unsafe { log(self.table.context, level, text(message)) }
        }
    }

    /// The value of a declared setting, or its default.
    pub fn setting(&self, name: &str) -> Option<String> {
        let mut value = text("");
        let code = unsafe { (self.table.setting?)(self.table.context, text(name), &mut value) };
        (code == METER_OK).then(|| unsafe { string(value) })
    }

    /// Hands over a reading. METER_EMIT_...
    pub fn emit(&self, reading: &Reading) -> i32 {
        match self.table.emit {
            Some(emit) => reading.with_abi(|reading| unsafe { emit(self.table.context, reading) }),
            None => METER_EMIT_CLOSED,
        }
    }

    /// A push adapter's state; `None` = all is well. It counts until the next call.
    pub fn condition(&self, failure: Option<&Failure>) {
        let (code, pause, message) = match failure {
            Some(failure) => (failure.code, nanoseconds(failure.retry_after), failure.message.as_str()),
            None => (METER_OK, 0, ""),
        };
        if let Some(condition) = self.table.condition {
            unsafe { condition(self.table.context, code, pause, text(message)) }
        }
    }

    /// Wall time in nanoseconds since 1970. It may step.
    pub fn now_wall(&self) -> i64 {
        self.table.now_wall.map_or(0, |now| unsafe { now(self.table.context) })
    }

    /// CLOCK_MONOTONIC in nanoseconds: the clock of every deadline.
    pub fn now_monotonic(&self) -> i64 {
        self.table.now_monotonic.map_or(0, |now| unsafe { now(self.table.context) })
    }

    /// Whether the running call should return.
    pub fn is_cancelled(&self) -> bool {
        self.table.cancelled.map_or(false, |cancelled| unsafe { cancelled(self.table.context) != 0 })
    }

    /// Readable together with `is_cancelled`: poll it, never read or close it.
    pub fn cancel_fd(&self) -> i32 {
        self.table.cancel_fd.map_or(-1, |descriptor| unsafe { descriptor(self.table.context) })
    }

    /// Asks for requests of the day's ration, for an adapter with a transport of its own.
    pub fn spend(&self, requests: u32) -> Result<(), Failure> {
        match self.table.spend.map_or(METER_OK, |spend| unsafe { spend(self.table.context, requests) }) {
            METER_OK => Ok(()),
            code => Err(Failure::new(code, "the day's ration of requests is used up")),
        }
    }

    /// One HTTP request that the host makes; an answer of whatever status is a success.
    pub fn http(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let table = unsafe { (self.table_of(METER_HOST_HTTP) as *const meter_host_http).as_ref() };
        let perform = table
            .and_then(|table| table.perform)
            .ok_or_else(|| Failure::new(METER_UNSUPPORTED, "the host offers no HTTP"))?;
        let headers: Vec<meter_http_header> = request
            .headers
            .iter()
            .map(|(name, value)| meter_http_header { name: text(name), value: text(value) })
            .collect();
        let mut body: Vec<u8> = Vec::new();
        let mut target: meter_http_request = unsafe { std::mem::zeroed() };
        target.struct_size = std::mem::size_of::<meter_http_request>() as u32;
        target.method = request.method;
        target.url = text(request.url);
        target.headers = headers.as_ptr();
        target.header_count = headers.len() as u32;
        target.header_stride = std::mem::size_of::<meter_http_header>() as u32;
        target.body = text(request.body);
        target.auth = request.auth;
        target.flags = request.flags;
        target.user = text(request.user);
        target.secret = text(request.secret);
        target.deadline_ns = request.deadline_ns;
        target.body_context = &mut body as *mut Vec<u8> as *mut c_void;
        target.on_body = Some(append);
        let mut response: meter_http_response = unsafe { std::mem::zeroed() };
        response.struct_size = std::mem::size_of::<meter_http_response>() as u32;
        let mut error = error_to_fill();
        match unsafe { perform(self.table.context, &target, &mut response, &mut error) } {
            METER_OK => Ok(HttpResponse {
                status: response.status,
                retry_after: Duration::from_nanos(response.retry_after_ns.max(0) as u64),
                body,
            }),
            code => Err(failure(code, &error)),
        }
    }

    /// A small value that outlives a restart.
    pub fn state(&self, key: &str) -> Option<Vec<u8>> {
        let table = unsafe { (self.table_of(METER_HOST_STATE) as *const meter_host_state).as_ref()? };
        let mut needed = 0u32;
        let mut buffer = vec![0u8; METER_STATE_MAX_BYTES as usize];
        let capacity = buffer.len() as u32;
        let code =
            unsafe { (table.get?)(self.table.context, text(key), buffer.as_mut_ptr(), capacity, &mut needed) };
        buffer.truncate(needed as usize);
        (code == METER_OK).then(|| buffer)
    }

    /// Stores a small value; returns once it is durable. An empty one removes it.
    pub fn set_state(&self, key: &str, value: &[u8]) -> Result<(), Failure> {
        let table = unsafe { (self.table_of(METER_HOST_STATE) as *const meter_host_state).as_ref() };
        let set = table
            .and_then(|table| table.set)
            .ok_or_else(|| Failure::new(METER_UNSUPPORTED, "the host keeps no state"))?;
        let mut error = error_to_fill();
        let size = value.len() as u32;
        match unsafe { set(self.table.context, text(key), value.as_ptr(), size, &mut error) } {
            METER_OK => Ok(()),
            code => Err(failure(code, &error)),
        }
    }

    fn table_of(&self, id: &str) -> *const c_void {
        self.table.extension.map_or(std::ptr::null(), |find| unsafe { find(self.table.context, text(id)) })
    }
}

/// A request that the host makes for the adapter. Begin with `HttpRequest::get(url)`.
#[derive(Default)]
pub struct HttpRequest<'a> {
    /// METER_HTTP_...
    pub method: u32,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a str,
    /// METER_AUTH_...
    pub auth: u32,
    /// METER_HTTP_NO_REDIRECTS for what may go to this server alone.
    pub flags: u32,
    pub user: &'a str,
    pub secret: &'a str,
    /// 0 = that of the running call.
    pub deadline_ns: i64,
}

impl<'a> HttpRequest<'a> {
    pub fn get(url: &'a str) -> HttpRequest<'a> {
        HttpRequest { url, ..HttpRequest::default() }
    }
}

/// What a server answered.
pub struct HttpResponse {
    pub status: i32,
    /// From Retry-After; zero = none.
    pub retry_after: Duration,
    pub body: Vec<u8>,
}

/// Called by the host from within `perform`, on the same thread; the buffer outlives that call.
unsafe extern "C" fn append(context: *mut c_void, bytes: *const u8, count: usize) -> i32 {
    (*(context as *mut Vec<u8>)).extend_from_slice(std::slice::from_raw_parts(bytes, count));
    0
}

fn error_to_fill() -> meter_error {
    let mut error: meter_error = unsafe { std::mem::zeroed() };
    error.struct_size = std::mem::size_of::<meter_error>() as u32;
    error
}

fn failure(code: i32, error: &meter_error) -> Failure {
    let length = (error.message_length as usize).min(error.message.len());
    Failure {
        code,
        message: String::from_utf8_lossy(&error.message[..length]).into_owned(),
        retry_after: Duration::from_nanos(error.retry_after_ns.max(0) as u64),
    }
}
