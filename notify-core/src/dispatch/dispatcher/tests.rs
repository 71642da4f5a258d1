//! Command lists: each test says whole what one input causes.

mod claim;
mod drain;
mod fixture;
mod hand_over;
mod outage;
mod pace;
mod places;
mod property;
mod reads;
mod send;
mod settle;
mod solo;
mod world;
