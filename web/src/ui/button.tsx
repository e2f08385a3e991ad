import type { ButtonHTMLAttributes, Ref } from "react";
import type { Scope } from "../api/session";
import { useForbidden } from "../state/session";
import { Icon, type IconName } from "./icons";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "plain" | "primary" | "quiet" | "danger";
  icon?: IconName;
  small?: boolean;
  /** What it does needs this scope: with a smaller one it cannot be pressed, and says why. */
  needs?: Scope | undefined;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ look = "plain", icon, small, needs, className, children, type = "button", disabled, title, ...rest }: ButtonProps) {
  const classes = ["button", `button-${look}`, small && "button-small", className].filter(Boolean).join(" ");
  const reason = useForbidden(needs);
  return (
    <button type={type} className={classes} disabled={disabled || reason !== null} title={reason ?? title} {...rest}>
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
  icon: IconName;
  /** What it does: read out, and shown when pointed at. */
  label: string;
  pressed?: boolean;
  filled?: boolean;
  small?: boolean;
  /** As of a button. */
  needs?: Scope;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, pressed, filled, small, needs, className, type = "button", disabled, ...rest }: IconButtonProps) {
  const classes = ["icon-button", small && "icon-button-small", className].filter(Boolean).join(" ");
  const reason = useForbidden(needs);
  return (
    <button type={type} className={classes} aria-label={label} title={reason ?? label} aria-pressed={pressed} disabled={disabled || reason !== null} {...rest}>
      <Icon name={icon} size={small ? 16 : 20} filled={filled ?? pressed ?? false} />
    </button>
  );
}
