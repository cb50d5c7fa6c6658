"""Bagpipes' likelihood of photometry at one redshift, of many models at a time.

At a known redshift the light of stars and gas in a band is a sum over SSPs, of what Bagpipes' own
grids give behind dust of some A_V. Tabulated in A_V it is the same likelihood in a hundredth of
the time, so that the sampler can be given enough points. It holds for delayed and double-power-law
histories, one metallicity, and a fixed law of dust with eta = 1.
"""

import numpy as np

_STEP, _MOST = 0.1, 8.0  # mag, of the table
_SOLAR = 3.826e33  # erg/s, as Bagpipes has it
_MEGAPARSEC = 3.086e24  # cm, as Bagpipes has it


class Tabulated:
    """Likelihood of a fit of Bagpipes'.

    Parameters
    ----------
    bagpipes : module
    fitted : bagpipes.fitting.fitted_model.fitted_model
        That has been asked for a likelihood before.
    history : {"delayed", "dblplaw"}
    inverse : ndarray, shape (n_bands, n_bands)
        Inverse covariance of the photometry.
    """

    def __init__(self, bagpipes, fitted, history: str, inverse: np.ndarray) -> None:
        self._config, self._model, self._prior = bagpipes.config, fitted.model_galaxy, fitted.prior
        self._names, self._history, self._inverse = fitted.params, history, inverse
        self._flux = fitted.galaxy.photometry[:, 1]
        response = self._response(bagpipes, fitted.fit_instructions["redshift"])
        used = np.flatnonzero(response.any(axis=1))
        response, dust = response[used], self._model.dust_atten.A_cont[used]
        # A_λ of each band, about which a table in A_V is nearly straight.
        self._dimming = dust @ (response / response.sum(axis=0))
        stars, gas = self._model.stellar.grid[used], self._gas()[used]
        grid = np.arange(0.0, _MOST + _STEP, _STEP)
        self._stars, self._gases = (
            np.stack(
                [
                    10 ** (0.4 * a * self._dimming)[:, None]
                    * ((response.T * 10 ** (-0.4 * a * dust)) @ light.reshape(len(used), -1))
                    for a in grid
                ]
            )
            for light in (stars, gas)
        )

    def _response(self, bagpipes, redshift: float) -> np.ndarray:
        """From luminosities per Å at Bagpipes' wavelengths to µJy, shape (n_wave, n_bands)."""
        model, bands = self._model, self._model.filter_set
        seen = model.wavelengths * (1 + redshift)
        curves = [np.interp(seen, model.wavelengths, one) for one in bands.filt_array.T]
        weight = np.stack(curves, axis=1) * (bands.widths * model.wavelengths)[:, None]
        table = bagpipes.utils.z_array, bagpipes.utils.ldist_at_z
        distance = _MEGAPARSEC * np.interp(redshift, *table)
        to_flux = _SOLAR / (4 * np.pi * distance**2 * (1 + redshift))
        to_microjansky = bands.eff_wavs**2 / (1e-29 * 2.9979e18)
        return weight / weight.sum(axis=0) * to_flux * to_microjansky

    def _gas(self) -> np.ndarray:
        """Light of gas per mass of SSPs, (n_wave, n_metals, n_log_u, n_ages), to 10 Myr."""
        config = self._config
        index = (config.age_bins < 1e7).sum()
        light = self._model.nebular.combined_grid[..., :index].copy()
        light[..., -1] *= 1 - (config.age_bins[index] - 1e7) / config.age_widths[index - 1]
        return light

    def prior(self, cube: np.ndarray) -> np.ndarray:
        """From the unit cube (n, n_dim) to parameters."""
        p = self._prior
        columns = zip(cube.T, p.pdfs, p.limits, p.hyper_params, strict=True)
        return np.stack([getattr(p, pdf)(one, *of) for one, pdf, *of in columns], axis=1)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Log likelihood of parameters (n, n_dim) but for a constant."""
        off = self._flux - self.photometry(values)
        found = -0.5 * np.einsum("nb,bc,nc->n", off, self._inverse, off)
        return np.where(np.isfinite(found), found, -1e100)

    def photometry(self, values: np.ndarray) -> np.ndarray:
        """µJy of models (n, n_dim), shape (n, n_bands)."""
        own = {name.split(":")[-1]: v for name, v in zip(self._names, values.T, strict=True)}
        config, n = self._config, len(values)
        masses = self._shares(own) * 10 ** own["massformed"][:, None]
        metal, share = _between(config.metallicities, own["metallicity"])
        ages, rows = masses.shape[1], np.arange(n)
        ceh = np.zeros((n, len(config.metallicities), ages))
        ceh[rows, metal] = masses * (1 - share)[:, None]
        ceh[rows, metal + 1] = masses * share[:, None]
        step, high = _between(config.logU, own["logU"])
        n_young = self._gases.shape[2] // (len(config.metallicities) * len(config.logU))
        young = np.zeros((n, len(config.metallicities), len(config.logU), n_young))
        young[rows, :, step] = ceh[:, :, :n_young] * (1 - high)[:, None, None]
        young[rows, :, step + 1] = ceh[:, :, :n_young] * high[:, None, None]
        ceh, young = ceh.reshape(n, -1), young.reshape(n, -1)
        place = np.clip(own["Av"], 0, _MOST) / _STEP
        low = np.minimum(place.astype(int), len(self._stars) - 2)
        flux = 0.0
        for index, part in ((low, 1 - place + low), (low + 1, place - low)):
            for table, weight in ((self._stars, ceh), (self._gases, young)):
                light = np.empty((n, table.shape[1]))
                for one in np.unique(index):
                    same = index == one
                    light[same] = weight[same] @ table[one].T
                flux = flux + light * part[:, None]
        return flux * 10 ** (-0.4 * own["Av"][:, None] * self._dimming)

    def _shares(self, own: dict[str, np.ndarray]) -> np.ndarray:
        """Share of the mass of each step in age, shape (n, n_ages)."""
        sfh = self._model.sfh
        if self._history == "delayed":
            since = 1e9 * own["age"][:, None] - sfh.ages
            rate = np.where(since > 0, since * np.exp(-since / (1e9 * own["tau"][:, None])), 0.0)
        else:
            time = sfh.age_of_universe - sfh.ages
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                x = np.maximum(time, 0.0) / (1e9 * own["tau"][:, None])
                rate = 1 / (x ** own["alpha"][:, None] + x ** -own["beta"][:, None])
            rate = np.where(time > 0, rate, 0.0)
        mass = rate * sfh.age_widths
        bins = np.clip(np.searchsorted(self._config.age_bins, sfh.ages, "right") - 1, 0, None)
        steps = np.zeros((len(sfh.ages), len(self._config.age_sampling)))
        inside = bins < steps.shape[1]
        steps[np.flatnonzero(inside), bins[inside]] = 1.0
        with np.errstate(invalid="ignore"):
            return mass @ steps / mass.sum(axis=1, keepdims=True)


def _between(grid: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the grid's value below each, and how far it is to the next, from 0 to 1."""
    low = np.clip(np.searchsorted(grid, values) - 1, 0, len(grid) - 2)
    return low, np.clip((values - grid[low]) / (grid[low + 1] - grid[low]), 0, 1)
