//! The dashboard over HTTP, without a browser and without scripts.

mod access;
mod csrf;
mod escaping;
mod fixture;
mod mounting;
mod pages;
mod secrets;
mod times;
mod walk;
