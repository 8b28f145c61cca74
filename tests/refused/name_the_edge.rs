//! E0433: the core cannot name the platform: there is none on the host.

pub fn attack() {
    edgeward::edge::policy::current();
}
