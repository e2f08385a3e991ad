/** Fields with their names: select, slider, check box, text, a choice of few. */

import { type InputHTMLAttributes, type ReactNode, useId } from "react";

export interface Option {
  value: string;
  label: string;
}

export function Select(props: {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  hint?: ReactNode;
  /** The name is read out but not shown. */
  hideLabel?: boolean;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className={props.hideLabel ? "visually-hidden" : undefined}>
        {props.label}
      </label>
      <select id={id} value={props.value} disabled={props.disabled} onChange={(event) => props.onChange(event.target.value)}>
        {props.options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {props.hint && <p className="hint">{props.hint}</p>}
    </div>
  );
}

export function Slider(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
  /** The value as shown and read out. */
  format?: (value: number) => string;
  hint?: ReactNode;
}) {
  const id = useId();
  const text = props.format ? props.format(props.value) : String(props.value);
  return (
    <div className="field">
      <div className="field-line">
        <label htmlFor={id}>{props.label}</label>
        <output htmlFor={id}>{text}</output>
      </div>
      <input
        id={id}
        type="range"
        min={props.min}
        max={props.max}
        step={props.step}
        value={props.value}
        aria-valuetext={text}
        onChange={(event) => props.onChange(Number(event.target.value))}
      />
      {props.hint && <p className="hint">{props.hint}</p>}
    </div>
  );
}

export function Checkbox(props: { label: ReactNode; checked: boolean; onChange: (checked: boolean) => void; count?: number; disabled?: boolean }) {
  return (
    <label className="checkbox">
      <input type="checkbox" checked={props.checked} disabled={props.disabled} onChange={(event) => props.onChange(event.target.checked)} />
      <span className="checkbox-label">{props.label}</span>
      {props.count !== undefined && <span className="count">{props.count.toLocaleString("en")}</span>}
    </label>
  );
}

export interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  error?: ReactNode;
  hideLabel?: boolean;
}

export function TextField({ label, value, onChange, hint, error, hideLabel, ...rest }: TextFieldProps) {
  const id = useId();
  const about = hint || error ? `${id}-about` : undefined;
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : undefined}>
        {label}
      </label>
      <input
        id={id}
        type="text"
        value={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={about}
        onChange={(event) => onChange(event.target.value)}
        {...rest}
      />
      {(hint || error) && (
        <p id={about} className={error ? "hint hint-error" : "hint"}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

/** One of a few, side by side. */
export function Segmented(props: { label: string; value: string; options: readonly Option[]; onChange: (value: string) => void; hint?: ReactNode }) {
  const name = useId();
  return (
    <fieldset className="field segmented-field">
      <legend>{props.label}</legend>
      <div className={props.options.length > 4 ? "segmented segmented-many" : "segmented"}>
        {props.options.map((option) => (
          <label key={option.value} className="segment">
            <input type="radio" name={name} value={option.value} checked={option.value === props.value} onChange={() => props.onChange(option.value)} />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
      {props.hint && <p className="hint">{props.hint}</p>}
    </fieldset>
  );
}
