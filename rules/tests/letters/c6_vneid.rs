//! C6: the operator announces the activation day, not before the standardisation period; the cut-over day not before that.

use ngomon_rules::citizens::{Campaign, CampaignFault};

/// The VNeID days must be in order: start, activation, cut-over.
#[test]
fn vneid_activation_and_cut_over_days_out_of_order_refused() {
    let campaign = Campaign::default();
    assert_eq!(
        campaign.with("vneid-activation", "2023-07-14"),
        Err(CampaignFault::Order)
    );
    assert_eq!(
        campaign.with("vneid-cut-over", "2024-01-01"),
        Err(CampaignFault::Order),
        "not without an activation day"
    );
    let open = campaign.with("vneid-activation", "2023-10-01").unwrap();
    assert_eq!(open.with("vneid-cut-over", "2023-09-30"), Err(CampaignFault::Order));
    let cut = open.with("vneid-cut-over", "2024-01-01").unwrap();
    assert_eq!(cut.get("vneid-cut-over").unwrap(), "2024-01-01");
    assert_eq!(cut.with("vneid-activation", ""), Err(CampaignFault::Order));
    // Rolling back is a single change.
    assert_eq!(cut.with("vneid-cut-over", "").unwrap(), open);
}
