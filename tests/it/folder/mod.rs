//! What is told of one machine: the data folder and its index, the demo, the settings, the samples one by one.

mod backup;
mod configuration;
mod crash;
mod demo;
mod gateway;
mod mailer;
mod parked;
mod regimes;
mod sample;
