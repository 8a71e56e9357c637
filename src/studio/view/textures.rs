//! What is on the graphics device for drawing: thumbnails, the picture at hand, its mask, the overlay.

use std::collections::HashMap;

use eframe::egui::{self, Color32, ColorImage, TextureHandle, TextureId, TextureOptions};
use eframe::egui_wgpu::RenderState;

use super::theme;
use crate::data::Extent;
use crate::report::{Scale, color};
use crate::studio::session::{Session, Shown};

/// Thumbnails that are kept.
const THUMBNAILS: usize = 1500;

/// Textures by what they show.
#[derive(Default)]
pub struct Textures {
    renderer: Option<RenderState>,
    thumbnails: HashMap<usize, TextureHandle>,
    picture: Option<(usize, TextureHandle)>,
    mask: Option<(u64, usize, TextureHandle)>,
    heat: Option<(u64, usize, TextureHandle)>,
    native: Option<(wgpu::TextureView, TextureId)>,
}

fn size((width, height): Extent) -> [usize; 2] {
    [width as usize, height as usize]
}

/// Small pictures keep their pixels when they are enlarged.
fn options(size: [usize; 2]) -> TextureOptions {
    if size[0].max(size[1]) <= 128 { TextureOptions::NEAREST } else { TextureOptions::LINEAR }
}

impl Textures {
    /// Nothing so far.
    pub fn new(renderer: Option<&RenderState>) -> Self {
        Self { renderer: renderer.cloned(), ..Self::default() }
    }

    /// Forgets everything, for other data.
    pub fn clear(&mut self) {
        if let (Some(renderer), Some((_, id))) = (&self.renderer, self.native.take()) {
            renderer.renderer.write().free_texture(&id);
        }
        *self = Self::new(self.renderer.clone().as_ref());
    }

    /// A small picture.
    pub fn thumbnail(&mut self, context: &egui::Context, session: &Session, index: usize) -> TextureId {
        if self.thumbnails.len() > THUMBNAILS {
            self.thumbnails.clear();
        }
        let texture = self.thumbnails.entry(index).or_insert_with(|| {
            let (extent, rgb) = session.album().thumbnail(index);
            let image = ColorImage::from_rgb(size(extent), &rgb);
            context.load_texture(format!("thumbnail {index}"), image, TextureOptions::LINEAR)
        });
        texture.id()
    }

    /// The picture at hand.
    pub fn picture(&mut self, context: &egui::Context, session: &Session) -> Option<TextureId> {
        let index = session.current();
        if self.picture.as_ref().is_none_or(|(of, _)| *of != index) {
            // A file that has gone since it was read leaves its small picture.
            let (extent, rgb) =
                session.album().picture(index).unwrap_or_else(|_| session.album().thumbnail(index));
            let image = ColorImage::from_rgb(size(extent), &rgb);
            let texture = context.load_texture("picture", image, options(size(extent)));
            self.picture = Some((index, texture));
        }
        self.picture.as_ref().map(|(_, texture)| texture.id())
    }

    /// The mask at hand, tinted.
    pub fn mask(&mut self, context: &egui::Context, session: &Session) -> Option<TextureId> {
        let key = (session.version(), session.current());
        if self.mask.as_ref().is_none_or(|(version, of, _)| (*version, *of) != key) {
            let extent = size(session.canvas().size());
            let tint = Color32::from_rgba_unmultiplied(theme::MASK.r(), theme::MASK.g(), theme::MASK.b(), 72);
            let pixel =
                |value: &u8| if *value >= crate::data::RELEVANT { tint } else { Color32::TRANSPARENT };
            let image = ColorImage::new(extent, session.canvas().values().iter().map(pixel).collect());
            match &mut self.mask {
                Some((version, of, texture)) => {
                    texture.set(image, TextureOptions::NEAREST);
                    (*version, *of) = key;
                }
                None => {
                    let texture = context.load_texture("mask", image, TextureOptions::NEAREST);
                    self.mask = Some((key.0, key.1, texture));
                }
            }
        }
        self.mask.as_ref().map(|(.., texture)| texture.id())
    }

    /// The overlay of the picture at hand and the training step that it shows.
    pub fn overlay(&mut self, context: &egui::Context, session: &Session) -> Option<(u64, TextureId)> {
        let (steps, shown) = session.shown()?;
        match shown {
            Shown::Texture(view) => Some((steps, self.native(view)?)),
            Shown::Values(values) => {
                let key = (steps * 2 + session.overlay.arm as u64, session.current());
                if self.heat.as_ref().is_none_or(|(of, index, _)| (*of, *index) != key) {
                    let (width, height) = (session.album().train.width, session.album().train.height);
                    let scale = Scale::without_peaks(values);
                    let image = ColorImage::new(
                        [width, height],
                        values.iter().map(|&v| glow(scale.share(v))).collect(),
                    );
                    let texture = context.load_texture("overlay", image, options([width, height]));
                    self.heat = Some((key.0, key.1, texture));
                }
                self.heat.as_ref().map(|(.., texture)| (steps, texture.id()))
            }
        }
    }

    fn native(&mut self, view: &wgpu::TextureView) -> Option<TextureId> {
        let renderer = self.renderer.as_ref()?;
        let mut drawing = renderer.renderer.write();
        match &mut self.native {
            Some((known, id)) if known == view => Some(*id),
            Some((known, id)) => {
                let nearest = wgpu::FilterMode::Nearest;
                drawing.update_egui_texture_from_wgpu_texture(&renderer.device, view, nearest, *id);
                *known = view.clone();
                Some(*id)
            }
            None => {
                let id = drawing.register_native_texture(&renderer.device, view, wgpu::FilterMode::Nearest);
                self.native = Some((view.clone(), id));
                Some(id)
            }
        }
    }
}

/// Clear for 0, then violet to pale yellow, less and less transparent.
fn glow(share: f64) -> Color32 {
    let [r, g, b] = color::heat(0.35 + 0.65 * share);
    Color32::from_rgba_unmultiplied(r, g, b, (share.sqrt() * 255.0).round() as u8)
}
