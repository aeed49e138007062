//! The library behind the `vermilion` command; the project's page follows.
#![doc = include_str!("../README.md")]

pub mod app;
pub mod cli;
pub mod config;
pub mod desk;
pub mod domain;
pub mod http;
pub mod metrics;
pub mod pages;
pub mod registration;
pub mod render;
pub mod seal;
pub mod store;
mod worker;
