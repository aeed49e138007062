//! The pages in a real Chromium: what people see, type and press.

mod driver;
mod employer;
mod every_page;
mod pages;
