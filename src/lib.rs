//! rosterd keeps two online services in step with a school's own roster.
//!
//! In reading order: [`roster`] has the words, [`plan`] and [`mirror`] decide, [`reconcile`] does what they
//! decided with the help of [`exam`], [`classin`] and [`store`]. `ARCHITECTURE.md` has the map.

pub mod roster;

pub mod mirror;
pub mod plan;

pub mod http;

pub mod classin;
pub mod exam;
pub mod store;

pub mod reconcile;

pub mod app;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod daemon;
pub mod exit;
pub mod settings;
pub mod telemetry;
pub mod web;

pub mod demo;
pub mod import;
pub mod sandbox;
