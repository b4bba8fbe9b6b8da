//! Compares these declarations with the header, as the C compiler sees it.
use super::*;
use std::fmt::Write as _;
use std::mem::{size_of, MaybeUninit};
use std::path::Path;
use std::process::Command;

/// (expression in C, its value in Rust)
type Table = Vec<(String, u64)>;

macro_rules! layout {
    ($table:ident, $($name:ident { $($field:ident),* })*) => {
        $(
            $table.push((format!("sizeof({})", stringify!($name)), size_of::<$name>() as u64));
            $({
                let value = MaybeUninit::<$name>::uninit();
                let base = value.as_ptr();
                // Only the address of the field is taken.
                let field = unsafe { std::ptr::addr_of!((*base).$field) };
                let c = format!("offsetof({}, {})", stringify!($name), stringify!($field));
                $table.push((c, field as u64 - base as u64));
            })*
        )*
    };
}

macro_rules! numbers {
    ($table:ident, $($name:ident)*) => { $( $table.push((stringify!($name).to_string(), $name as u64)); )* };
}

fn declared_here() -> Table {
    let mut table = Table::new();
    layout! { table,
        meter_text { data, length, reserved }
        meter_error { struct_size, code, retry_after_ns, message_length, reserved, message }
        meter_circuit { id, name, parent_id, kind, phase, quality, reserved, present, power_w, period_energy_kwh,
            period_returned_kwh, total_energy_kwh, total_returned_kwh, voltage_v, current_a, power_factor }
        meter_reading { struct_size, quality, known, present, timestamp_ns, period_ns, grid_power_w, solar_power_w,
            battery_power_w, consumption_power_w, period_import_kwh, period_export_kwh, period_production_kwh,
            period_consumption_kwh, period_charge_kwh, period_discharge_kwh, total_import_kwh, total_export_kwh,
            total_production_kwh, total_consumption_kwh, total_charge_kwh, total_discharge_kwh, day_energy_kwh,
            voltage_v, frequency_hz, circuits, circuit_count, circuit_stride }
        meter_host { abi_major, abi_minor, struct_size, reserved, name, instance, context, log, setting, extension,
            emit, condition, now_wall, now_monotonic, cancelled, cancel_fd, spend }
        meter_http_header { name, value }
        meter_http_request { struct_size, method, url, headers, header_count, header_stride, body, auth, flags,
            user, secret, ca_file, deadline_ns, max_body_bytes, body_context, on_body }
        meter_http_response { struct_size, status, retry_after_ns, body_bytes, content_type_length, reserved,
            content_type }
        meter_host_http { perform }
        meter_host_state { get, set }
        meter_history_request { struct_size, max_records, from_ns, to_ns, step_ns, deadline_ns }
        meter_history_sink { context, put }
        meter_history_result { struct_size, outcome, covered_to_ns, retry_after_ns, none_before_ns }
        meter_history { history }
        meter_login_prompter { context, prompt }
        meter_login_result { struct_size, text_length, text }
        meter_login { login }
        meter_setting { name, help, default_value, choices, kind, required }
        meter_descriptor { magic, abi_major, abi_minor, struct_size, meter_type, name, vendor, version, url,
            description, delivery, requests_per_day, default_sampling_ns, minimum_sampling_ns, late_ns,
            history_step_ns, history_reach_ns, settings, setting_count, setting_stride, create, start, read, stop,
            destroy, extension }
        meter_library { magic, abi_major, abi_minor, struct_size, descriptors, descriptor_count, reserved }
    }
    numbers! { table,
        METER_MAGIC METER_ABI_MAJOR METER_ABI_MINOR METER_OK METER_UNREACHABLE METER_TIMEOUT METER_UNAVAILABLE
        METER_RATE_LIMITED METER_UNAUTHORIZED METER_BAD_DATA METER_NO_DATA METER_RATIONED METER_CANCELLED
        METER_TOO_LARGE METER_NOT_FOUND METER_BUFFER_TOO_SMALL METER_TLS_FAILED METER_INVALID METER_FAILED
        METER_MISCONFIGURED METER_CREDENTIALS_REFUSED METER_LOGIN_REQUIRED METER_UNSUPPORTED
        METER_QUALITY_UNKNOWN METER_QUALITY_MEASURED METER_QUALITY_ESTIMATED METER_QUALITY_BACKFILLED
        METER_KIND_UNKNOWN METER_KIND_LOAD METER_KIND_EV METER_KIND_HEATING METER_KIND_GRID METER_KIND_SOLAR
        METER_KIND_BATTERY METER_KIND_TOTAL METER_KIND_OTHER
        METER_GRID_POWER METER_SOLAR_POWER METER_BATTERY_POWER METER_CONSUMPTION_POWER METER_PERIOD_IMPORT
        METER_PERIOD_EXPORT METER_PERIOD_PRODUCTION METER_PERIOD_CONSUMPTION METER_PERIOD_CHARGE
        METER_PERIOD_DISCHARGE METER_TOTAL_IMPORT METER_TOTAL_EXPORT METER_TOTAL_PRODUCTION
        METER_TOTAL_CONSUMPTION METER_TOTAL_CHARGE METER_TOTAL_DISCHARGE METER_DAY_ENERGY METER_VOLTAGE_1
        METER_VOLTAGE_2 METER_VOLTAGE_3 METER_FREQUENCY
        METER_CIRCUIT_POWER METER_CIRCUIT_PERIOD_ENERGY METER_CIRCUIT_PERIOD_RETURNED METER_CIRCUIT_TOTAL_ENERGY
        METER_CIRCUIT_TOTAL_RETURNED METER_CIRCUIT_VOLTAGE METER_CIRCUIT_CURRENT METER_CIRCUIT_POWER_FACTOR
        METER_EMIT_QUEUED METER_EMIT_BUSY METER_EMIT_INVALID METER_EMIT_CLOSED
        METER_LOG_ERROR METER_LOG_WARNING METER_LOG_INFO METER_LOG_DEBUG
        METER_HTTP_GET METER_HTTP_POST METER_HTTP_PUT METER_HTTP_DELETE
        METER_AUTH_NONE METER_AUTH_BASIC METER_AUTH_DIGEST METER_AUTH_BEARER METER_HTTP_NO_REDIRECTS
        METER_STATE_MAX_BYTES
        METER_SINK_CONTINUE METER_SINK_STOP METER_HISTORY_COMPLETE METER_HISTORY_MORE METER_HISTORY_NOT_YET
        METER_HISTORY_NONE_BEFORE METER_PROMPT_TEXT METER_PROMPT_SECRET METER_PROMPT_CODE
        METER_SETTING_TEXT METER_SETTING_NUMBER METER_SETTING_FLAG METER_SETTING_URL METER_SETTING_SECRET
        METER_SETTING_FILE METER_SETTING_LIST METER_SETTING_CHOICE METER_DELIVERY_PULL METER_DELIVERY_PUSH
    }
    table
}

/// The values of the same expressions, from a C program of the moment.
fn said_by_the_header(table: &Table) -> Vec<String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::temp_dir().join(format!("layout-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut program = String::from("#include \"meter_adapter.h\"\n#include <stdio.h>\nint main(void) {\n");
    for (expression, _) in table {
        writeln!(program, "    printf(\"%llu\\n\", (unsigned long long)({}));", expression).unwrap();
    }
    for id in ["METER_HOST_HTTP", "METER_HOST_STATE", "METER_HISTORY", "METER_LOGIN"] {
        writeln!(program, "    puts({});", id).unwrap();
    }
    program.push_str("    return 0;\n}\n");
    let source = folder.join("layout.c");
    let binary = folder.join("layout");
    std::fs::write(&source, program).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_string());
    let compiled = Command::new(compiler)
        .args(["-std=c11", "-I"])
        .arg(project)
        .arg(&source)
        .arg("-o")
        .arg(&binary)
        .status()
        .expect("a C compiler is needed to look at the header");
    assert!(compiled.success());
    let output = Command::new(&binary).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

#[test]
fn declarations_are_those_of_the_header() {
    let mut expected = declared_here();
    let said = said_by_the_header(&expected);
    let ids = [METER_HOST_HTTP, METER_HOST_STATE, METER_HISTORY, METER_LOGIN];
    assert_eq!(said.len(), expected.len() + ids.len());
    assert_eq!(said[expected.len()..], ids);
    for ((expression, here), there) in expected.drain(..).zip(said) {
        assert_eq!(here.to_string(), there, "{} is {} in abi.rs, {} in the header", expression, here, there);
    }
}
