use super::{guard, text, Adapter, Failure, Instance};
use crate::abi::*;
use std::ffi::c_void;

/// `meter.login/1`: credentials that need a person. Answer `login_table::<Self>()` for METER_LOGIN in
/// `Adapter::extension`.
pub trait Login: Adapter {
    /// Asks, keeps the tokens in the host's state, and says what was found: account, devices, zone. No secrets.
    fn login(&mut self, prompter: &LoginPrompter) -> Result<String, Failure>;
}

/// Asks the person who runs `smart-meter login`.
pub struct LoginPrompter<'a> {
    table: &'a meter_login_prompter,
}

impl LoginPrompter<'_> {
    /// One question of one line; blocks until it is answered. `kind`: METER_PROMPT_... A failure with METER_CANCELLED:
    /// nobody is there any more, return soon.
    pub fn ask(&self, kind: u32, question: &str) -> Result<String, Failure> {
        let mut answer = vec![0u8; 1024];
        let mut length = 0u32;
        let code = match self.table.prompt {
            Some(prompt) => unsafe {
                let buffer = answer.as_mut_ptr() as *mut _;
                prompt(self.table.context, kind, text(question), buffer, answer.len() as u32, &mut length)
            },
            None => METER_CANCELLED,
        };
        match code {
            METER_OK => {
                answer.truncate(length as usize);
                String::from_utf8(answer).map_err(|_| Failure::new(METER_INVALID, "the answer is not UTF-8"))
            }
            METER_BUFFER_TOO_SMALL => Err(Failure::new(code, "the answer is too long")),
            _ => Err(Failure::new(code, "nobody answers")),
        }
    }
}

/// What `Adapter::extension` answers for METER_LOGIN.
pub fn login_table<A: Login>() -> *const c_void {
    let table: &'static meter_login = &meter_login { login: Some(login::<A>) };
    table as *const meter_login as *const c_void
}

unsafe extern "C" fn login<A: Login>(
    instance: *mut meter_instance,
    prompter: *const meter_login_prompter,
    result: *mut meter_login_result,
    error: *mut meter_error,
) -> i32 {
    guard(error, || {
        let instance = &mut *(instance as *mut Instance<A>);
        let found = instance.adapter.login(&LoginPrompter { table: &*prompter })?;
        let result = &mut *result;
        let length = super::whole_characters(&found, result.text.len());
        for (target, source) in result.text.iter_mut().zip(&found.as_bytes()[..length]) {
            *target = *source as _;
        }
        result.text_length = length as u32;
        Ok(())
    })
}
