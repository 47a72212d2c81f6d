//! Builds the viewer and weighs it.
