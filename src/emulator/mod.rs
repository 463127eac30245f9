//! An offline Moonshot as a tower service.
