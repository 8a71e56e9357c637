//! The smallest window that learns from a brush: a trainer on egui's own device, a few milliseconds in each frame.
//!
//! Left: a training picture; paint with the mouse what is relevant. Right: where the model looks in it now. Every training picture has a
//! patch in a corner that gives its class away, and without paint the model looks there.
//!
//! ```sh
//! cargo run --release --features studio --example learn_from_brush
//! ```

use std::time::Duration;

use eframe::egui::{self, Color32, ColorImage, Rect, Sense, TextureHandle, TextureId, TextureOptions, vec2};
use eframe::egui_wgpu::RenderState;
use rationale::data::triangles::{Part, PatchRule, SIZE, TriangleSet, generate};
use rationale::embed::{ColorMap, EmbedError, Mask, Overlay, Picture, Setup, Subject, Trainer};
use rationale::model::MapShape;
use rationale::wgpu;

const PICTURES: usize = 60;
const BUDGET: Duration = Duration::from_millis(4);

struct Brush {
    trainer: Trainer,
    filled: bool,
    pictures: Vec<Vec<u8>>,
    labels: Vec<u32>,
    masks: Vec<Vec<u8>>,
    current: usize,
    seen: wgpu::TextureView,
    seen_id: TextureId,
    shown: Option<TextureHandle>,
    message: String,
}

impl Brush {
    fn new(render: &RenderState) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let data = generate(TriangleSet::ES, &[PICTURES / 2; 2], 1, Part::Train, PatchRule::Follows(1.0))?;
        let grey = |index: usize| data.picture_bytes(index);
        let setup = Setup::new(MapShape { height: SIZE, width: SIZE, channels: 1 }, 2, PICTURES);
        let texture = render.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("where the model looks"),
            size: wgpu::Extent3d { width: SIZE as u32, height: SIZE as u32, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
            view_formats: &[],
        });
        let seen = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let nearest = wgpu::FilterMode::Nearest;
        Ok(Self {
            trainer: Trainer::new(&render.device, &render.queue, &setup)?,
            filled: false,
            pictures: (0..PICTURES).map(grey).collect(),
            labels: data.labels.clone(),
            masks: vec![vec![0; SIZE * SIZE]; PICTURES],
            current: 0,
            seen_id: render.renderer.write().register_native_texture(&render.device, &seen, nearest),
            seen,
            shown: None,
            message: String::new(),
        })
    }

    /// A slice of training, and what the model looks at.
    fn learn(&mut self) -> Result<String, EmbedError> {
        let made = self.trainer.prepare(BUDGET)?;
        if !made.is_done() {
            return Ok(format!("preparing: {} of {}", made.done, made.of));
        }
        if !std::mem::replace(&mut self.filled, true) {
            for (index, (picture, &label)) in self.pictures.iter().zip(&self.labels).enumerate() {
                self.trainer.set_picture(index, Picture::Grey(picture))?;
                self.trainer.set_label(index, Some(label))?;
            }
        }
        let at = self.trainer.step(BUDGET)?;
        self.trainer.overlay(
            &self.seen,
            Subject::Stored(self.current),
            Overlay::InputGradient,
            &ColorMap::heat(),
        )?;
        Ok(format!("epoch {}, step {}", at.epoch, at.steps))
    }

    /// Paints small squares on the way between two places in the picture, given as shares of its sides.
    fn paint(&mut self, from: egui::Vec2, to: egui::Vec2) -> Result<(), EmbedError> {
        let at = |share: f32| (share * SIZE as f32) as i64;
        let mask = &mut self.masks[self.current];
        // A fast pointer leaps over pixels.
        let dabs = ((to - from).length() * SIZE as f32).ceil().max(1.0);
        for dab in 0..=dabs as usize {
            let place = from + (to - from) * (dab as f32 / dabs);
            for (y, x) in (-1..=1).flat_map(|y| (-1..=1).map(move |x| (at(place.y) + y, at(place.x) + x))) {
                if (0..SIZE as i64).contains(&y) && (0..SIZE as i64).contains(&x) {
                    mask[y as usize * SIZE + x as usize] = 255;
                }
            }
        }
        self.shown = None;
        self.trainer.set_mask(self.current, Mask::Bytes(mask))
    }

    fn image(&self) -> ColorImage {
        let pixel = |(&grey, &mask): (&u8, &u8)| match mask {
            0 => Color32::from_gray(grey),
            _ => Color32::from_rgb(grey / 2, grey / 2 + 110, grey / 2 + 110),
        };
        let pixels = self.pictures[self.current].iter().zip(&self.masks[self.current]).map(pixel);
        ColorImage::new([SIZE, SIZE], pixels.collect())
    }
}

impl eframe::App for Brush {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        self.message = self.learn().unwrap_or_else(|error| error.to_string());
        egui::CentralPanel::default().show(ui, |ui| {
            ui.horizontal(|ui| {
                if ui.button("Next picture").clicked() {
                    (self.current, self.shown) = ((self.current + 1) % PICTURES, None);
                }
                let painted = self.masks.iter().filter(|mask| mask.contains(&255)).count();
                ui.label(format!("picture {}, {painted} painted; {}", self.current + 1, self.message));
            });
            ui.label("Left: paint what is relevant. Right: where the model looks.");
            let side = (ui.available_width() / 2.0 - 8.0).min(ui.available_height());
            ui.horizontal(|ui| {
                if self.shown.is_none() {
                    let texture = ui.ctx().load_texture("picture", self.image(), TextureOptions::NEAREST);
                    self.shown = Some(texture);
                }
                let whole = Rect::from_min_size(egui::Pos2::ZERO, vec2(1.0, 1.0));
                let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::drag());
                if let Some(shown) = &self.shown {
                    ui.painter().image(shown.id(), rect, whole, Color32::WHITE);
                }
                if let Some(pointer) = response.interact_pointer_pos() {
                    // A slow frame may begin before the press, and end far from it.
                    let from = match response.drag_started() {
                        true => ui.input(|input| input.pointer.press_origin()).unwrap_or(pointer),
                        false => pointer - response.drag_delta(),
                    };
                    let share = |place: egui::Pos2| (place - rect.min) / side;
                    if let Err(error) = self.paint(share(from), share(pointer)) {
                        self.message = error.to_string();
                    }
                }
                let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
                ui.painter().image(self.seen_id, rect, whole, Color32::WHITE);
            });
        });
        ui.ctx().request_repaint();
    }
}

fn main() -> eframe::Result {
    let wgpu_setup = rationale::studio::device_setup();
    let wgpu_options = eframe::egui_wgpu::WgpuConfiguration { wgpu_setup, ..Default::default() };
    let viewport = egui::ViewportBuilder::default().with_inner_size([800.0, 460.0]);
    let options = eframe::NativeOptions { viewport, wgpu_options, ..Default::default() };
    let brush = |context: &eframe::CreationContext<'_>| {
        let render = context.wgpu_render_state.as_ref().ok_or("the window has no wgpu device")?;
        Ok(Box::new(Brush::new(render)?) as Box<dyn eframe::App>)
    };
    eframe::run_native("learn from a brush", options, Box::new(brush))
}
