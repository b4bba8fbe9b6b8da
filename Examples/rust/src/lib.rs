//! A meter that speaks up by itself: each UDP datagram that it sends to UDP_ADDRESS is a number of watts. A thread of the
//! adapter waits for them and emits; nothing is polled.

mod abi;
mod kit;

use abi::*;
use kit::*;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub struct UdpMeter {
    host: Host,
    address: String,
    silence: Duration,
    listener: Option<Listener>,
}

/// From start to stop.
struct Listener {
    socket: UdpSocket,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Shorter than the 500 ms that a call which cannot watch the host's descriptor may last.
const PATIENCE: Duration = Duration::from_millis(200);

impl Adapter for UdpMeter {
    const DESCRIPTOR: Descriptor = Descriptor {
        meter_type: "udp",
        name: "UDP meter",
        vendor: "smart-meter",
        description: "Takes a number of watts from each UDP datagram that a meter sends",
        delivery: METER_DELIVERY_PUSH,
        minimum_sampling: Duration::from_millis(100),
        settings: &[
            Setting {
                name: "address",
                kind: METER_SETTING_TEXT,
                default: "127.0.0.1:9577",
                choices: "",
                required: false,
                help: "Address and port to listen on; 0.0.0.0 for a meter elsewhere in the network",
            },
            Setting {
                name: "silence_seconds",
                kind: METER_SETTING_NUMBER,
                default: "60",
                choices: "",
                required: false,
                help: "After so long without a datagram the meter is said to be silent, 1 to 86400",
            },
        ],
        ..Descriptor::EMPTY
    };

    fn create(host: Host) -> Result<Self, Failure> {
        let silence = host.setting("silence_seconds").and_then(|text| text.parse::<f64>().ok());
        let silence = silence.filter(|seconds| (1.0..=86_400.0).contains(seconds)).ok_or_else(|| {
            Failure::new(METER_MISCONFIGURED, "UDP_SILENCE_SECONDS must be a number from 1 to 86400")
        })?;
        let address = host.setting("address").unwrap_or_default();
        Ok(UdpMeter { host, address, silence: Duration::from_secs_f64(silence), listener: None })
    }

    fn start(&mut self) -> Result<(), Failure> {
        let open = || {
            let socket = UdpSocket::bind(&self.address)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            Ok((socket.try_clone()?, socket))
        };
        let (ear, socket) = open().map_err(|error: std::io::Error| {
            Failure::new(METER_UNREACHABLE, format!("cannot listen on UDP_ADDRESS {}: {}", self.address, error))
        })?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (host, silence, end) = (self.host, self.silence, is_over.clone());
        let thread = std::thread::spawn(move || listen(ear, host, silence, &end));
        self.listener = Some(Listener { socket, is_over, thread });
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.is_over.store(true, Ordering::Relaxed);
            // An empty datagram to itself, so that the thread does not wait for its timeout.
            if let Ok(address) = listener.socket.local_addr() {
                let _ = listener.socket.send_to(&[], address);
            }
            let _ = listener.thread.join();
        }
    }
}

/// Emits what comes, and says when nothing does.
fn listen(socket: UdpSocket, host: Host, silence: Duration, is_over: &AtomicBool) {
    let mut buffer = [0u8; 64];
    let mut heard = Instant::now();
    let mut is_well = true;
    loop {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let count = match socket.recv(&mut buffer) {
            Ok(count) => count,
            Err(error) => {
                // A timeout has waited already.
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) {
                    std::thread::sleep(PATIENCE);
                }
                if is_well && heard.elapsed() > silence {
                    let words = format!("no datagram for {} s", silence.as_secs());
                    host.condition(Some(&Failure::new(METER_NO_DATA, words)));
                    is_well = false;
                }
                continue;
            }
        };
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        heard = Instant::now();
        match watts(&buffer[..count]) {
            Some(watts) => {
                let mut reading = Reading::new(METER_CONSUMPTION_POWER);
                reading.consumption_power_w = Some(watts);
                host.emit(&reading);
                if !is_well {
                    host.condition(None);
                    is_well = true;
                }
            }
            None => {
                host.condition(Some(&Failure::new(METER_BAD_DATA, "a datagram was no number of watts")));
                is_well = false;
            }
        }
    }
}

/// The number in a datagram. A cut-off one has filled the buffer and is none.
fn watts(bytes: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.trim().parse::<f64>().ok().filter(|watts| watts.is_finite() && bytes.len() < 64)
}

export_adapter!(UdpMeter);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_a_number_of_watts_or_nothing() {
        assert_eq!(watts(b"412.5"), Some(412.5));
        assert_eq!(watts(b" -7\r\n"), Some(-7.0));
        for bad in [&b""[..], b"watts", b"1 2", b"nan", b"inf", b"1e999", b"\xff", &[b'1'; 64]] {
            assert_eq!(watts(bad), None, "{:?}", bad);
        }
    }
}
