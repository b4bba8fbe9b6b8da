//! The interface made safe and short: implement `Adapter`, and export it with `export_adapter!`. All that is unsafe
//! about the interface is in this folder.
#![allow(dead_code, unused_imports)]

mod export;
mod history;
mod host;
mod login;
mod reading;

pub use export::entry;
pub use history::{history_table, History, HistoryOutcome, HistoryRequest, HistorySink};
pub use host::{Host, HttpRequest, HttpResponse};
pub use login::{login_table, Login, LoginPrompter};
pub use reading::{Circuit, Reading};

use export::{guard, Instance};

use crate::abi::*;
use std::ffi::c_void;
use std::time::Duration;

/// A meter adapter. Calls to one instance never overlap, but they may come from different threads.
pub trait Adapter: Sized + Send + 'static {
    /// What the adapter is, and the settings it takes.
    const DESCRIPTOR: Descriptor;

    /// Makes an instance: checks its settings. No I/O, no threads.
    fn create(host: Host) -> Result<Self, Failure>;

    /// Connects, or starts threads, within 15 s. What fails is tried again later.
    fn start(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Takes one sample by `deadline_ns` of CLOCK_MONOTONIC. Pull adapters only.
    fn read(&mut self, deadline_ns: i64) -> Result<Reading, Failure> {
        let _ = deadline_ns;
        Err(Failure::new(METER_INVALID, "this adapter pushes its readings"))
    }

    /// Ends what `start` began: joins threads, within 1 s.
    fn stop(&mut self) {}

    /// The table of an extension, or NULL: `history_table::<Self>()` for METER_HISTORY, `login_table::<Self>()` for
    /// METER_LOGIN.
    fn extension(id: &str) -> *const c_void {
        let _ = id;
        std::ptr::null()
    }
}

/// What an adapter is and how to run it; the fields are those of `meter_descriptor`.
pub struct Descriptor {
    pub meter_type: &'static str,
    pub name: &'static str,
    pub vendor: &'static str,
    pub version: &'static str,
    pub url: &'static str,
    pub description: &'static str,
    /// METER_DELIVERY_...
    pub delivery: u32,
    pub requests_per_day: u32,
    pub default_sampling: Duration,
    pub minimum_sampling: Duration,
    pub late: Duration,
    pub history_step: Duration,
    pub history_reach: Duration,
    pub settings: &'static [Setting],
}

impl Descriptor {
    /// Begin with this, and fill in what your adapter has: `Descriptor { name: "...", ..Descriptor::EMPTY }`.
    pub const EMPTY: Descriptor = Descriptor {
        meter_type: "",
        name: "",
        vendor: "",
        version: env!("CARGO_PKG_VERSION"),
        url: "",
        description: "",
        delivery: METER_DELIVERY_PULL,
        requests_per_day: 0,
        default_sampling: Duration::ZERO,
        minimum_sampling: Duration::ZERO,
        late: Duration::ZERO,
        history_step: Duration::ZERO,
        history_reach: Duration::ZERO,
        settings: &[],
    };
}

/// A setting that a person gives as the variable `<TYPE>_<NAME>`.
pub struct Setting {
    pub name: &'static str,
    /// METER_SETTING_...
    pub kind: u32,
    /// Empty = none.
    pub default: &'static str,
    /// Comma-separated, with METER_SETTING_CHOICE.
    pub choices: &'static str,
    pub required: bool,
    pub help: &'static str,
}

/// Why a call failed: a METER_... code that the host acts on, and one line for a person. No secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub code: i32,
    pub message: String,
    /// The earliest sensible retry; zero = the host decides.
    pub retry_after: Duration,
}

impl Failure {
    pub fn new(code: i32, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), retry_after: Duration::ZERO }
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// The text is that of `source`, and valid as long as it.
fn text(source: &str) -> meter_text {
    meter_text { data: source.as_ptr() as *const _, length: source.len() as u32, reserved: 0 }
}

/// A copy of a text of the interface.
unsafe fn string(text: meter_text) -> String {
    if text.data.is_null() || text.length == 0 {
        return String::new();
    }
    String::from_utf8_lossy(std::slice::from_raw_parts(text.data as *const u8, text.length as usize)).into_owned()
}

/// How many of its bytes fit where there is room for `limit`, without cutting a character.
fn whole_characters(text: &str, limit: usize) -> usize {
    (0..=text.len().min(limit)).rev().find(|length| text.is_char_boundary(*length)).unwrap_or(0)
}

/// Exports the library's adapter.
#[macro_export]
macro_rules! export_adapter {
    ($adapter:ty) => {
        /// The one exported function.
        #[no_mangle]
        pub extern "C" fn meter_adapter_entry(host_abi: u32) -> *const $crate::abi::meter_library {
            $crate::kit::entry::<$adapter>(host_abi)
        }
    };
}
