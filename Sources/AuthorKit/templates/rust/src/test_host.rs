//! A host in memory: drives the adapter through the interface, without a host and without a device.

use crate::abi::*;
use crate::kit::Failure;
use std::ffi::c_void;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the adapter said, and what it is told.
pub struct TestHost {
    settings: Vec<(String, String)>,
    /// Their circuits are gone with the call.
    readings: Mutex<Vec<meter_reading>>,
}

impl TestHost {
    /// Boxed, since the adapter keeps its address.
    pub fn new(settings: &[(&str, &str)]) -> Box<TestHost> {
        let settings = settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Box::new(TestHost { settings, readings: Mutex::new(Vec::new()) })
    }

    pub fn readings(&self) -> Vec<meter_reading> {
        self.readings.lock().unwrap().clone()
    }

    /// An instance of the library's first adapter.
    pub fn create(&self, library: *const meter_library) -> Result<Instance, Failure> {
        let table = Box::new(self.table());
        let mut pointer = std::ptr::null_mut();
        unsafe {
            let descriptor = *(*library).descriptors;
            let create = (*descriptor).create.unwrap();
            call(|error| create(descriptor, &*table, &mut pointer, error))?;
            Ok(Instance { descriptor, pointer, _table: table })
        }
    }

    fn table(&self) -> meter_host {
        let mut table: meter_host = unsafe { std::mem::zeroed() };
        table.abi_major = METER_ABI_MAJOR;
        table.abi_minor = METER_ABI_MINOR;
        table.struct_size = std::mem::size_of::<meter_host>() as u32;
        table.context = self as *const TestHost as *mut c_void;
        table.log = Some(log);
        table.setting = Some(setting);
        table.extension = Some(extension);
        table.emit = Some(emit);
        table.condition = Some(condition);
        table.now_wall = Some(now_wall);
        table.now_monotonic = Some(now_monotonic);
        table.cancelled = Some(cancelled);
        table.cancel_fd = Some(cancel_fd);
        table.spend = Some(spend);
        table
    }
}

/// From create to destroy.
pub struct Instance {
    descriptor: *const meter_descriptor,
    pointer: *mut meter_instance,
    _table: Box<meter_host>,
}

impl Instance {
    pub fn start(&mut self) -> Result<(), Failure> {
        unsafe { call(|error| (*self.descriptor).start.unwrap()(self.pointer, error)) }
    }

    pub fn read(&mut self) -> Result<(), Failure> {
        let deadline = unsafe { now_monotonic(std::ptr::null_mut()) } + 5_000_000_000;
        unsafe { call(|error| (*self.descriptor).read.unwrap()(self.pointer, deadline, error)) }
    }

    pub fn stop(&mut self) {
        unsafe { (*self.descriptor).stop.unwrap()(self.pointer) }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        unsafe { (*self.descriptor).destroy.unwrap()(self.pointer) }
    }
}

fn call(body: impl FnOnce(*mut meter_error) -> i32) -> Result<(), Failure> {
    let mut error: meter_error = unsafe { std::mem::zeroed() };
    error.struct_size = std::mem::size_of::<meter_error>() as u32;
    match body(&mut error) {
        METER_OK => Ok(()),
        code => {
            let message = &error.message[..error.message_length as usize];
            Err(Failure {
                code,
                message: String::from_utf8_lossy(message).into_owned(),
                retry_after: Duration::from_nanos(error.retry_after_ns as u64),
            })
        }
    }
}

unsafe fn bytes<'a>(text: meter_text) -> &'a [u8] {
    std::slice::from_raw_parts(text.data as *const u8, text.length as usize)
}

unsafe extern "C" fn log(_: *mut c_void, level: u32, message: meter_text) {
    println!("log {}: {}", level, String::from_utf8_lossy(bytes(message)));
}

unsafe extern "C" fn setting(context: *mut c_void, name: meter_text, value: *mut meter_text) -> i32 {
    let host = &*(context as *const TestHost);
    match host.settings.iter().find(|(known, _)| known.as_bytes() == bytes(name)) {
        Some((_, found)) => {
            *value = meter_text { data: found.as_ptr() as *const _, length: found.len() as u32, reserved: 0 };
            METER_OK
        }
        None => METER_NOT_FOUND,
    }
}

unsafe extern "C" fn extension(_: *mut c_void, _: meter_text) -> *const c_void {
    std::ptr::null()
}

unsafe extern "C" fn emit(context: *mut c_void, reading: *const meter_reading) -> i32 {
    (*(context as *const TestHost)).readings.lock().unwrap().push(*reading);
    METER_EMIT_QUEUED
}

unsafe extern "C" fn condition(_: *mut c_void, code: i32, _: i64, message: meter_text) {
    println!("condition {}: {}", code, String::from_utf8_lossy(bytes(message)));
}

unsafe extern "C" fn now_wall(_: *mut c_void) -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

/// Good enough for a test: it runs, and never back.
unsafe extern "C" fn now_monotonic(context: *mut c_void) -> i64 {
    now_wall(context)
}

unsafe extern "C" fn cancelled(_: *mut c_void) -> i32 {
    0
}

unsafe extern "C" fn cancel_fd(_: *mut c_void) -> i32 {
    -1
}

unsafe extern "C" fn spend(_: *mut c_void, _: u32) -> i32 {
    METER_OK
}
