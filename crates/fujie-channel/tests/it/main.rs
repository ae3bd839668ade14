//! Stories of the channel, over loopback and in memory.
