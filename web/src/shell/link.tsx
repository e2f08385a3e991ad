import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from "react";
import { type Changes, href, navigate, type PageName } from "../state/address";

export interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  page: PageName;
  params: URLSearchParams | Changes;
  children: ReactNode;
}

/** A link inside the application: opens without a reload, and in a new tab as links do. */
export function Link({ page, params, children, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(page, params);
    window.scrollTo({ top: 0 });
  };
  return (
    <a href={href(page, params)} onClick={follow} {...rest}>
      {children}
    </a>
  );
}
