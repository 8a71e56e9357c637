//! What every page shares: one file that loads nothing from anywhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;

/// For attributes and text of HTML and XML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A text whose backticks become code.
pub fn prose(plain: &str) -> String {
    let parts = plain.split('`').enumerate().map(|(i, part)| match i % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    parts.collect()
}

/// A whole page. The title is escaped here, style and body stand as they are.
pub fn document(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

/// A picture as an address that holds it, a PNG in base 64.
pub fn data_uri(picture: &RgbImage) -> Result<String, image::ImageError> {
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(super::png(picture)?)))
}
