//! My meter: says the power that its setting gives, until you ask a device instead.

mod abi;
mod kit;

use abi::*;
use kit::*;
use std::time::Duration;

pub struct Meter {
    watts: f64,
}

impl Adapter for Meter {
    const DESCRIPTOR: Descriptor = Descriptor {
        meter_type: "my_meter",
        name: "My meter",
        vendor: "you",
        description: "Says the power that MY_METER_WATTS gives",
        default_sampling: Duration::from_secs(10),
        minimum_sampling: Duration::from_secs(1),
        settings: &[Setting {
            name: "watts",
            kind: METER_SETTING_NUMBER,
            default: "250",
            choices: "",
            required: false,
            help: "Watts that the house uses, 0 to 100000",
        }],
        ..Descriptor::EMPTY
    };

    /// Checks the settings. No I/O here; that begins in `start` or `read`.
    fn create(host: Host) -> Result<Self, Failure> {
        let watts = host.setting("watts").and_then(|text| text.parse().ok());
        match watts.filter(|watts| (0.0..=100_000.0).contains(watts)) {
            Some(watts) => Ok(Meter { watts }),
            None => Err(Failure::new(METER_MISCONFIGURED, "MY_METER_WATTS must be a number from 0 to 100000")),
        }
    }

    /// One sample. Ask the device here (`Host::http` makes a request), and answer what went wrong.
    fn read(&mut self, _deadline_ns: i64) -> Result<Reading, Failure> {
        let mut reading = Reading::new(METER_CONSUMPTION_POWER);
        reading.consumption_power_w = Some(self.watts);
        Ok(reading)
    }
}

export_adapter!(Meter);

#[cfg(test)]
mod test_host;

#[cfg(test)]
mod tests {
    use super::*;
    use test_host::TestHost;

    #[test]
    fn it_says_the_watts_of_its_setting() {
        let host = TestHost::new(&[("watts", "412.5")]);
        let mut meter = host.create(meter_adapter_entry(METER_ABI)).unwrap();
        meter.start().unwrap();
        meter.read().unwrap();
        meter.stop();
        let readings = host.readings();
        assert_eq!(readings.len(), 1);
        assert_eq!(readings[0].present, METER_CONSUMPTION_POWER);
        assert_eq!(readings[0].consumption_power_w, 412.5);
    }

    #[test]
    fn a_setting_that_is_no_power_is_refused_by_its_name() {
        for watts in ["", "-1", "nan", "a lot"] {
            let host = TestHost::new(&[("watts", watts)]);
            let failure = host.create(meter_adapter_entry(METER_ABI)).err().unwrap();
            assert_eq!(failure.code, METER_MISCONFIGURED);
            assert!(failure.message.contains("MY_METER_WATTS"));
        }
    }
}
