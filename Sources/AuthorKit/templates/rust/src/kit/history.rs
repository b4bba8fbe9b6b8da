use super::{guard, nanoseconds, Adapter, Failure, Instance, Reading};
use crate::abi::*;
use std::ffi::c_void;
use std::time::Duration;

/// `meter.history/1`: readings of the past, from the meter's own log. Say in the descriptor how fine it is and how far it
/// reaches, and answer `history_table::<Self>()` for METER_HISTORY in `Adapter::extension`.
pub trait History: Adapter {
    /// Puts the records of the span (from, to], oldest first, until `sink` wants no more.
    fn history(&mut self, request: &HistoryRequest, sink: &mut HistorySink) -> Result<HistoryOutcome, Failure>;
}

/// A span that the host asks for. Instants are nanoseconds since 1970.
#[derive(Debug, Clone)]
pub struct HistoryRequest {
    /// Excluded.
    pub from_ns: i64,
    /// Included.
    pub to_ns: i64,
    /// The period wanted of a record; coarser is fine, finer is not.
    pub step_ns: i64,
    pub max_records: u32,
    /// CLOCK_MONOTONIC; return `More` rather than overrun it.
    pub deadline_ns: i64,
}

impl HistoryRequest {
    /// The timestamps of the records of this span where each has the period `period_ns`: its multiples within (from, to],
    /// oldest first, as many as are asked for. Neighbouring spans so give each record once.
    pub fn timestamps(&self, period_ns: i64) -> impl Iterator<Item = i64> {
        let (period, to) = (period_ns.max(1), self.to_ns);
        let first = self.from_ns.div_euclid(period).checked_add(1).and_then(|count| count.checked_mul(period));
        std::iter::successors(first, move |last| last.checked_add(period))
            .take_while(move |time| *time <= to)
            .take(self.max_records.max(1) as usize)
    }

    /// What to answer where every record up to `covered_to_ns` was put: complete where none of the period is left.
    pub fn outcome(&self, covered_to_ns: i64, period_ns: i64) -> HistoryOutcome {
        match covered_to_ns.checked_add(period_ns) {
            Some(next) if next <= self.to_ns => HistoryOutcome::More { covered_to_ns },
            _ => HistoryOutcome::Complete,
        }
    }
}

/// What became of a span. Everything up to `covered_to_ns` has been answered for.
#[derive(Debug, Clone, PartialEq)]
pub enum HistoryOutcome {
    /// Everything that the meter has was put.
    Complete,
    /// Ask again from here; later than the request's `from_ns`.
    More { covered_to_ns: i64 },
    /// What follows has not been written down by the meter yet.
    NotYet { covered_to_ns: i64, retry_after: Duration },
    /// The meter's log begins here; nothing of what follows was put.
    NoneBefore { none_before_ns: i64 },
}

/// Takes the records of a span.
pub struct HistorySink<'a> {
    table: &'a meter_history_sink,
}

impl HistorySink<'_> {
    /// A record is a reading with its timestamp, its period and METER_QUALITY_BACKFILLED. False: it was taken, and no
    /// further one is wanted.
    pub fn put(&mut self, record: &Reading) -> bool {
        match self.table.put {
            Some(put) => {
                record.with_abi(|record| unsafe { put(self.table.context, record) }) == METER_SINK_CONTINUE
            }
            None => false,
        }
    }
}

/// What `Adapter::extension` answers for METER_HISTORY.
pub fn history_table<A: History>() -> *const c_void {
    let table: &'static meter_history = &meter_history { history: Some(history::<A>) };
    table as *const meter_history as *const c_void
}

unsafe extern "C" fn history<A: History>(
    instance: *mut meter_instance,
    request: *const meter_history_request,
    sink: *const meter_history_sink,
    result: *mut meter_history_result,
    error: *mut meter_error,
) -> i32 {
    guard(error, || {
        let instance = &mut *(instance as *mut Instance<A>);
        let source = &*request;
        let request = HistoryRequest {
            from_ns: source.from_ns,
            to_ns: source.to_ns,
            step_ns: source.step_ns,
            max_records: source.max_records,
            deadline_ns: source.deadline_ns,
        };
        let outcome = instance.adapter.history(&request, &mut HistorySink { table: &*sink })?;
        let result = &mut *result;
        let (code, covered_to_ns) = match outcome {
            HistoryOutcome::Complete => (METER_HISTORY_COMPLETE, request.to_ns),
            HistoryOutcome::More { covered_to_ns } => (METER_HISTORY_MORE, covered_to_ns),
            HistoryOutcome::NotYet { covered_to_ns, retry_after } => {
                result.retry_after_ns = nanoseconds(retry_after);
                (METER_HISTORY_NOT_YET, covered_to_ns)
            }
            HistoryOutcome::NoneBefore { none_before_ns } => {
                result.none_before_ns = none_before_ns;
                (METER_HISTORY_NONE_BEFORE, none_before_ns.min(request.to_ns))
            }
        };
        result.outcome = code;
        result.covered_to_ns = covered_to_ns;
        Ok(())
    })
}
