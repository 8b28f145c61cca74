//! What came of a request, as its client and the log have it.

use edgeward::admit::{Outcome, admit};
use edgeward::challenge::Asking;
use edgeward::facts::Facts;
use edgeward::policy::gate::Gate;
use edgeward::problem::{Problem, Telling};
use edgeward::reply;
use edgeward::resource::METADATA_PATH;
use edgeward::trail::Trail;

use super::{FakePorts, run};

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    pub status: u16,
    /// `-` where there is no problem.
    pub code: &'static str,
    /// The log's word for the refusal; `-` if there is none.
    pub reason: &'static str,
    /// The values of `WWW-Authenticate`.
    pub challenges: Vec<String>,
    pub dpop_nonce: Option<String>,
    pub retry_after_s: Option<u64>,
    /// What rules in observe mode would have refused for.
    pub observed: Vec<&'static str>,
    /// Authenticator, issuer and subject.
    pub caller: Option<[String; 3]>,
    /// What was asked of the outside.
    pub asked: Vec<&'static str>,
}

impl Told {
    /// Status, code and reason in one line.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.status, self.code, self.reason)
    }

    pub fn asked_for(&self, what: &str) -> usize {
        self.asked.iter().filter(|asked| **asked == what).count()
    }
}

/// Sends a request without content through the whole driver.
pub fn tell(gate: &Gate, ports: &FakePorts, facts: Facts) -> Told {
    ports.asked.borrow_mut().clear();
    let outcome = run(admit(gate, ports, facts, Vec::new()));
    let asked = ports.asked.borrow().clone();
    match outcome {
        Ok(Outcome::Released(release)) => of(gate, release.trail(), None, asked),
        Ok(Outcome::Switched(switch)) => of(gate, switch.trail(), None, asked),
        Ok(Outcome::Preflight { trail, .. } | Outcome::Replayed { trail, .. }) => {
            of(gate, &trail, None, asked)
        }
        Err(refused) => {
            let trail = &refused.trail;
            let metadata = format!("{}{METADATA_PATH}", trail.base_url(Some(gate)));
            let telling = Telling {
                request_id: &trail.facts.request_id,
                asking: Asking {
                    realm: &gate.name,
                    metadata: &metadata,
                },
                challenges: &trail.challenges,
            };
            let problem = Problem::of(&refused.refusal, &telling);
            let reason = refused.refusal.reason();
            of(gate, trail, Some((problem, reason)), asked)
        }
    }
}

fn of(
    gate: &Gate,
    trail: &Trail,
    refused: Option<(Problem, &'static str)>,
    asked: Vec<&'static str>,
) -> Told {
    let fields = refused.as_ref().map(|(problem, _)| problem.fields.clone());
    let fields = fields.unwrap_or_default();
    let values = |name: &str| -> Vec<String> {
        let named = fields.iter().filter(|(field, _)| *field == name);
        named.map(|(_, value)| value.clone()).collect()
    };
    let set = reply::every(Some(gate), trail).set;
    let nonce = set.into_iter().find(|(name, _)| *name == "dpop-nonce");
    let caller = trail.caller.as_ref();
    Told {
        status: refused
            .as_ref()
            .map_or(200, |(problem, _)| problem.slug.status()),
        code: refused
            .as_ref()
            .map_or("-", |(problem, _)| problem.slug.as_str()),
        reason: refused.as_ref().map_or("-", |(_, reason)| *reason),
        challenges: values("www-authenticate"),
        dpop_nonce: nonce.map(|(_, value)| value),
        retry_after_s: values("retry-after")
            .first()
            .and_then(|text| text.parse().ok()),
        observed: trail.observed.iter().map(|one| one.reason()).collect(),
        caller: caller.map(|caller| {
            let (authenticator, issuer) = (&caller.authenticator, &caller.issuer);
            [authenticator, issuer, &caller.subject].map(String::clone)
        }),
        asked,
    }
}
