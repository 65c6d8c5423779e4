//! The measurements of servers with clients on sockets.

#![expect(
    clippy::unnecessary_wraps,
    reason = "scenarios that cannot fail have the type of those that can"
)]

mod connections;
mod fan_out;
mod resume_storm;

pub(crate) use self::{
    connections::{connect_storm, memory, shutdown},
    fan_out::{burst, paced, stuck, sustained},
    resume_storm::resume_storm,
};
