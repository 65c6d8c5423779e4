//! The event source against scripted servers, over TCP and, where times matter, in memory.

mod callbacks;
mod closing;
mod compression;
mod decoding;
mod flood;
mod http2;
mod idle;
mod ids;
mod log;
mod memory;
mod reading;
mod reconnect;
mod reconnecting;
mod redirects;
mod requests;
mod responses;
mod scripted;
mod standard;
mod transports;
mod waiting;
