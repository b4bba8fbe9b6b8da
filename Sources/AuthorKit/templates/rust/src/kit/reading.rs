use super::text;
use crate::abi::*;

macro_rules! numbers {
    ($target:ident, $self:ident, $($field:ident $bit:ident)*) => {
        $( if let Some(value) = $self.$field { $target.$field = value; $target.present |= $bit; } )*
    };
}

/// What a meter says. `None` is "not measured", which is never zero.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Which of the four powers the instance is configured to measure: the same from start to stop.
    pub known: u64,
    /// METER_QUALITY_...
    pub quality: u32,
    /// Wall time; `None` = the moment at which it is handed over.
    pub timestamp_ns: Option<i64>,
    /// 0 = instantaneous.
    pub period_ns: i64,
    /// Watts: + import, - export.
    pub grid_power_w: Option<f64>,
    pub solar_power_w: Option<f64>,
    /// Watts: + discharge, - charge.
    pub battery_power_w: Option<f64>,
    pub consumption_power_w: Option<f64>,
    pub period_import_kwh: Option<f64>,
    pub period_export_kwh: Option<f64>,
    pub period_production_kwh: Option<f64>,
    pub period_consumption_kwh: Option<f64>,
    pub period_charge_kwh: Option<f64>,
    pub period_discharge_kwh: Option<f64>,
    pub total_import_kwh: Option<f64>,
    pub total_export_kwh: Option<f64>,
    pub total_production_kwh: Option<f64>,
    pub total_consumption_kwh: Option<f64>,
    pub total_charge_kwh: Option<f64>,
    pub total_discharge_kwh: Option<f64>,
    pub day_energy_kwh: Option<f64>,
    pub voltages_v: [Option<f64>; 3],
    pub frequency_hz: Option<f64>,
    pub circuits: Vec<Circuit>,
}

impl Reading {
    /// Nothing measured yet. `known`: METER_GRID_POWER, METER_SOLAR_POWER, METER_BATTERY_POWER, METER_CONSUMPTION_POWER.
    pub fn new(known: u64) -> Reading {
        Reading { known, quality: METER_QUALITY_MEASURED, ..Reading::default() }
    }

    /// The reading as the interface wants it, for the duration of `body`.
    pub(super) fn with_abi<T>(&self, body: impl FnOnce(&meter_reading) -> T) -> T {
        let circuits: Vec<meter_circuit> = self.circuits.iter().map(Circuit::to_abi).collect();
        let mut target: meter_reading = unsafe { std::mem::zeroed() };
        target.struct_size = std::mem::size_of::<meter_reading>() as u32;
        target.quality = self.quality;
        target.known = self.known;
        target.timestamp_ns = self.timestamp_ns.unwrap_or(0);
        target.period_ns = self.period_ns;
        numbers! { target, self,
            grid_power_w METER_GRID_POWER solar_power_w METER_SOLAR_POWER battery_power_w METER_BATTERY_POWER
            consumption_power_w METER_CONSUMPTION_POWER
            period_import_kwh METER_PERIOD_IMPORT period_export_kwh METER_PERIOD_EXPORT
            period_production_kwh METER_PERIOD_PRODUCTION period_consumption_kwh METER_PERIOD_CONSUMPTION
            period_charge_kwh METER_PERIOD_CHARGE period_discharge_kwh METER_PERIOD_DISCHARGE
            total_import_kwh METER_TOTAL_IMPORT total_export_kwh METER_TOTAL_EXPORT
            total_production_kwh METER_TOTAL_PRODUCTION total_consumption_kwh METER_TOTAL_CONSUMPTION
            total_charge_kwh METER_TOTAL_CHARGE total_discharge_kwh METER_TOTAL_DISCHARGE
            day_energy_kwh METER_DAY_ENERGY frequency_hz METER_FREQUENCY }
        for (phase, voltage) in self.voltages_v.iter().enumerate() {
            if let Some(voltage) = voltage {
                target.voltage_v[phase] = *voltage;
                target.present |= METER_VOLTAGE_1 << phase;
            }
        }
        target.circuits = if circuits.is_empty() { std::ptr::null() } else { circuits.as_ptr() };
        target.circuit_count = circuits.len() as u32;
        target.circuit_stride = std::mem::size_of::<meter_circuit>() as u32;
        body(&target)
    }
}

/// One branch of the house.
#[derive(Debug, Clone, Default)]
pub struct Circuit {
    /// Unique in the instance and stable for good: history hangs on it.
    pub id: String,
    pub name: String,
    /// The circuit that it hangs on; empty = directly below the mains.
    pub parent_id: String,
    /// METER_KIND_...; the sign of its power follows from it.
    pub kind: u32,
    /// 1 to 3; 0 = none or several.
    pub phase: u32,
    pub quality: u32,
    pub power_w: Option<f64>,
    pub period_energy_kwh: Option<f64>,
    pub period_returned_kwh: Option<f64>,
    pub total_energy_kwh: Option<f64>,
    pub total_returned_kwh: Option<f64>,
    pub voltage_v: Option<f64>,
    pub current_a: Option<f64>,
    pub power_factor: Option<f64>,
}

impl Circuit {
    /// Its texts are those of `self`.
    fn to_abi(&self) -> meter_circuit {
        let mut target: meter_circuit = unsafe { std::mem::zeroed() };
        target.id = text(&self.id);
        target.name = text(&self.name);
        target.parent_id = text(&self.parent_id);
        target.kind = self.kind;
        target.phase = self.phase;
        target.quality = self.quality;
        numbers! { target, self,
            power_w METER_CIRCUIT_POWER period_energy_kwh METER_CIRCUIT_PERIOD_ENERGY
            period_returned_kwh METER_CIRCUIT_PERIOD_RETURNED total_energy_kwh METER_CIRCUIT_TOTAL_ENERGY
            total_returned_kwh METER_CIRCUIT_TOTAL_RETURNED voltage_v METER_CIRCUIT_VOLTAGE
            current_a METER_CIRCUIT_CURRENT power_factor METER_CIRCUIT_POWER_FACTOR }
        target
    }
}
