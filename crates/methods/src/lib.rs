//! Every bound and estimate of the workspace behind one interface, listed in one registry.
