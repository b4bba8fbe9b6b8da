//! C's way in: recover the instance and call one method; a panic ends here.

use super::{nanoseconds, string, text, whole_characters, Adapter, Failure, Host, Setting};
use crate::abi::*;
use std::any::Any;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicPtr, Ordering};

/// The body of `meter_adapter_entry`.
pub fn entry<A: Adapter>(host_abi: u32) -> *const meter_library {
    static LIBRARY: AtomicPtr<meter_library> = AtomicPtr::new(std::ptr::null_mut());
    if !meter_serves(host_abi) {
        return std::ptr::null();
    }
    if LIBRARY.load(Ordering::Acquire).is_null() {
        LIBRARY.store(Box::leak(Box::new(library::<A>())), Ordering::Release);
    }
    LIBRARY.load(Ordering::Acquire)
}

/// Lives as long as the library is loaded, as the interface demands.
fn library<A: Adapter>() -> meter_library {
    let source = A::DESCRIPTOR;
    let settings: Vec<meter_setting> = source.settings.iter().map(setting).collect();
    let mut target: meter_descriptor = unsafe { std::mem::zeroed() };
    target.magic = METER_MAGIC;
    target.abi_major = METER_ABI_MAJOR;
    target.abi_minor = METER_ABI_MINOR;
    target.struct_size = std::mem::size_of::<meter_descriptor>() as u32;
    target.meter_type = text(source.meter_type);
    target.name = text(source.name);
    target.vendor = text(source.vendor);
    target.version = text(source.version);
    target.url = text(source.url);
    target.description = text(source.description);
    target.delivery = source.delivery;
    target.requests_per_day = source.requests_per_day;
    target.default_sampling_ns = nanoseconds(source.default_sampling);
    target.minimum_sampling_ns = nanoseconds(source.minimum_sampling);
    target.late_ns = nanoseconds(source.late);
    target.history_step_ns = nanoseconds(source.history_step);
    target.history_reach_ns = nanoseconds(source.history_reach);
    target.setting_count = settings.len() as u32;
    target.setting_stride = std::mem::size_of::<meter_setting>() as u32;
    target.settings = if settings.is_empty() { std::ptr::null() } else { settings.leak().as_ptr() };
    target.create = Some(create::<A>);
    target.start = Some(start::<A>);
    if source.delivery == METER_DELIVERY_PULL {
        target.read = Some(read::<A>);
    }
    target.stop = Some(stop::<A>);
    target.destroy = Some(destroy::<A>);
    target.extension = Some(extension::<A>);
    let descriptors: &'static [*const meter_descriptor] = vec![Box::leak(Box::new(target)) as *const _].leak();
    meter_library {
        magic: METER_MAGIC,
        abi_major: METER_ABI_MAJOR,
        abi_minor: METER_ABI_MINOR,
        struct_size: std::mem::size_of::<meter_library>() as u32,
        descriptors: descriptors.as_ptr(),
        descriptor_count: 1,
        reserved: 0,
    }
}

fn setting(source: &Setting) -> meter_setting {
    meter_setting {
        name: text(source.name),
        help: text(source.help),
        default_value: text(source.default),
        choices: text(source.choices),
        kind: source.kind,
        required: source.required as u32,
    }
}

unsafe extern "C" fn create<A: Adapter>(
    _: *const meter_descriptor,
    host: *const meter_host,
    instance: *mut *mut meter_instance,
    error: *mut meter_error,
) -> i32 {
    guard(error, || {
        let host = Host::copy(host);
        let made = Instance { adapter: A::create(host)?, host };
        *instance = Box::into_raw(Box::new(made)) as *mut meter_instance;
        Ok(())
    })
}

/// An instance as the host holds it.
pub(super) struct Instance<A> {
    pub(super) adapter: A,
    host: Host,
}

unsafe extern "C" fn start<A: Adapter>(instance: *mut meter_instance, error: *mut meter_error) -> i32 {
    guard(error, || (*(instance as *mut Instance<A>)).adapter.start())
}

unsafe extern "C" fn read<A: Adapter>(instance: *mut meter_instance, deadline_ns: i64, error: *mut meter_error) -> i32 {
    guard(error, || {
        let instance = &mut *(instance as *mut Instance<A>);
        let reading = instance.adapter.read(deadline_ns)?;
        match instance.host.emit(&reading) {
            METER_EMIT_QUEUED | METER_EMIT_CLOSED => Ok(()),
            METER_EMIT_BUSY => Err(Failure::new(METER_FAILED, "the host's queue is full")),
            _ => Err(Failure::new(METER_BAD_DATA, "the host refused the reading; its log says why")),
        }
    })
}

unsafe extern "C" fn stop<A: Adapter>(instance: *mut meter_instance) {
    guard(std::ptr::null_mut(), || {
        (*(instance as *mut Instance<A>)).adapter.stop();
        Ok(())
    });
}

unsafe extern "C" fn destroy<A: Adapter>(instance: *mut meter_instance) {
    guard(std::ptr::null_mut(), || {
        drop(Box::from_raw(instance as *mut Instance<A>));
        Ok(())
    });
}

unsafe extern "C" fn extension<A: Adapter>(id: meter_text) -> *const c_void {
    catch_unwind(|| A::extension(&string(id))).unwrap_or(std::ptr::null())
}

/// Runs `body`, and stores what went wrong where the caller wants it.
pub(super) fn guard(error: *mut meter_error, body: impl FnOnce() -> Result<(), Failure>) -> i32 {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return METER_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => panicked(&*panic),
    };
    if let Some(error) = unsafe { error.as_mut() } {
        let length = whole_characters(&failure.message, error.message.len());
        error.code = failure.code;
        error.retry_after_ns = nanoseconds(failure.retry_after);
        error.message[..length].copy_from_slice(&failure.message.as_bytes()[..length]);
        error.message_length = length as u32;
    }
    failure.code
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no words");
    Failure::new(METER_FAILED, format!("the adapter panicked: {}", words))
}
