//! The stages in their order: compiles, so that the cases beside it fail for their own reasons.

use edgeward::facts::Facts;
use edgeward::policy::gate::Gate;
use edgeward::ports::Ports;
use edgeward::stage::Exchange;
use edgeward::stage::answered::Sorted;
use edgeward::stage::claimed::Leading;
use edgeward::stage::identified::Evidence;
use edgeward::stage::open::Open;
use edgeward::stage::routed::Routing;
use edgeward::trail::Refused;

pub async fn right_order<P: Ports>(gate: &Gate, ports: &P, facts: Facts, body: P::Body) -> Result<(), Refused> {
    let open = Open::new(ports);
    let Routing::Route(routed) = Exchange::received(facts, body).route(gate)? else { return Ok(()) };
    let charged = open.charge(routed.address_charge()).await;
    let identified = routed.shield(&charged)?.present()?.identify(Evidence::Nothing)?;
    let charged = open.charge(identified.charge().unwrap_or_default()).await;
    let validated = identified.limit(&charged)?.authorize()?.inspect()?.validate_unread()?;
    let charged = open.charge(validated.rest()).await;
    let claiming = validated.pay(&charged)?.claim();
    let Leading::Run(claimed) = claiming.claimed(None)? else { return Ok(()) };
    let (unsigned, sent) = claimed.forward(None)?;
    let Ok(forward) = unsigned.signed(None) else { return Ok(()) };
    let answered = sent.answered(ports.send(forward).await, 0)?;
    let fit = match answered.sort()? {
        Sorted::Free(fit) => fit,
        Sorted::Ruled(ruled) => ruled.judge(None)?,
        Sorted::Switch(switching) => {
            let _ = switching.release(open, 0);
            return Ok(());
        }
    };
    let _ = fit.release(open);
    Ok(())
}
