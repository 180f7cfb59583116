use super::request::Product;
use crate::arch::products::PANEL_ROWS;

/// Where the share of thread `index` of `count` begins: (product, row). Shares are whole panels, about equal in
/// bytes of weights; the share ends where the next begins.
pub(super) fn share_start(products: &[Product<'_>], index: usize, count: usize) -> (usize, usize) {
    let panel_bytes = |product: &Product<'_>| product.row_bytes() as u64;
    let panels = |product: &Product<'_>| product.rows().div_ceil(PANEL_ROWS) as u64;
    let total: u64 = products
        .iter()
        .map(|product| panels(product) * panel_bytes(product))
        .sum();
    let mut wanted = (u128::from(total) * index as u128 / count as u128) as u64;
    for (number, product) in products.iter().enumerate() {
        let bytes = panels(product) * panel_bytes(product);
        if wanted < bytes {
            // To the nearest panel.
            let panel = (wanted + panel_bytes(product) / 2) / panel_bytes(product);
            return (number, (panel as usize * PANEL_ROWS).min(product.rows()));
        }
        wanted -= bytes;
    }
    (products.len(), 0)
}
