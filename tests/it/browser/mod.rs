//! The pages in a real Chromium: what people see, type and press.

mod attacks;
mod console;
mod driver;
mod employer;
mod every_page;
mod holder;
mod holdings;
mod office;
mod pages;
mod staff;
mod tickets;
