//! The pages in a real Chromium: what people see, type and press.

mod attacks;
mod driver;
mod employer;
mod every_page;
mod holder;
mod holdings;
mod pages;
mod staff;
mod tickets;
