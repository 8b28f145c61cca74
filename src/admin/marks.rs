//! What commands ask of the objects that hold marks and uses: a command refuses where one is silent.
//!
//! Owns: the order in which a mark is written: with the object first, which is asked at every
//! admission, then the copy in the store.

use crate::admin::ports::AdminPorts;
use crate::limit::ask::Objects;
use crate::limit::wire::{Act, Answer, Asking, KeyUse, Question};
use crate::object::ObjectName;
use crate::ports::PortDown;
use crate::refusal::{Port, Refusal};
use crate::revocation::{Credential, Mark, Marks};

const DOWN: PortDown = PortDown {
    port: Port::Revocation,
};

/// Why a mark was not written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotMarked {
    /// The object holds as many as it may.
    Full,
    /// Nobody knows whether it stands: it is to be written again.
    Down(PortDown),
}

/// Writes a mark with an object, and then the copy in the store.
pub(super) async fn write<P: AdminPorts>(
    ports: &P,
    object: &ObjectName,
    mark: &Mark,
) -> Result<(), NotMarked> {
    let asked = ask(ports, object, Act::Mark(mark.clone())).await;
    match asked.map_err(NotMarked::Down)? {
        Answer::Marked => ports.limit_memory().borrow_mut().forget_standings(object),
        Answer::MarksFull => return Err(NotMarked::Full),
        _ => return Err(NotMarked::Down(DOWN)),
    }
    // The whole of the object's marks, so that a copy that was lost is made good with the next.
    let marks = read(ports, object).await.map_err(NotMarked::Down)?;
    let written = ports.put_marks(object, &marks).await;
    written.map_err(NotMarked::Down)
}

/// The marks that an object holds.
pub(super) async fn read<P: Objects>(ports: &P, object: &ObjectName) -> Result<Marks, PortDown> {
    match ask(ports, object, Act::Marks).await? {
        Answer::Marks(marks) => Ok(marks),
        _ => Err(DOWN),
    }
}

/// When an API key was used, as far as an object knows.
pub(super) async fn key_use<P: Objects>(
    ports: &P,
    object: &ObjectName,
    key_id: &str,
) -> Result<Option<KeyUse>, PortDown> {
    let key_id = key_id.to_owned();
    match ask(ports, object, Act::Use { key_id }).await? {
        Answer::Use(found) => Ok(found),
        _ => Err(DOWN),
    }
}

/// Refuses a credential that was taken back: asked anew each time, as commands are rare and
/// far-reaching. Counts as a use of it.
pub(super) async fn check_standing<P: Objects>(
    ports: &P,
    object: &ObjectName,
    credential: Credential,
) -> Result<(), Refusal> {
    let question = Question {
        credential: Some(credential),
        uses: 1,
        ..Question::of(Act::Charge(Asking::default()))
    };
    match ports.ask(object, &question).await {
        Ok(Answer::Granted(_)) => Ok(()),
        Ok(Answer::Revoked(by)) => Err(Refusal::Revoked { by }),
        Ok(_) | Err(_) => Err(DOWN.into()),
    }
}

async fn ask<P: Objects>(ports: &P, object: &ObjectName, act: Act) -> Result<Answer, PortDown> {
    let answer = ports.ask(object, &Question::of(act)).await;
    answer.map_err(|_| DOWN)
}
